SELECT chapter, month, p.v AS exported, q.v AS imported, q.v / NULLIF(p.v, 0) AS ratio, p.v - q.v AS gap
FROM (SELECT chapter, month, SUM(value) AS v FROM exports WHERE month < 3 OR chapter = '84' GROUP BY chapter, month) AS p
JOIN (SELECT month, chapter, SUM(cif) FILTER (WHERE route = 'rail' OR month > 1) AS v FROM imports GROUP BY month, chapter) AS q
  USING (chapter, month)
ORDER BY chapter, month
