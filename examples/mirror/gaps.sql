SELECT chapter, p.v - q.v AS gap
FROM (SELECT chapter, SUM(value) AS v FROM exports GROUP BY chapter) AS p
JOIN (SELECT chapter, SUM(cif) AS v FROM imports GROUP BY chapter) AS q USING (chapter)
ORDER BY chapter
