SELECT COUNT(*) FROM p
SELECT ALL month AS "Monat", COUNT(*) n FROM p AS c WHERE c.month BETWEEN 1 AND 3 OR NOT partner NOT IN ('DE', 'O''Hara') GROUP BY month, 1 HAVING COUNT(*) >= 10 ORDER BY n DESC NULLS LAST, 1 LIMIT 10 OFFSET 20
SELECT SUM(x * y) / NULLIF(COUNT(y), 0) FROM "acme/trade" WHERE a <> 1 AND b != 2 AND c IS NOT NULL AND TRUE
SELECT -a + - - b, +1.5e3, .5 FROM p GROUP BY a, b
SELECT COUNT(*) FROM p WHERE a IS NULL IS NOT NULL OR 'x' >= b AND NULL = c
SELECT VARIANCE(x), STDDEV(ALL x), VAR_POP(x), STDDEV_SAMP(x + 1) FROM p
SELECT COVAR_POP(y, x), COVAR_SAMP(y, x), CORR(y, x * 2), REGR_SLOPE(y, x), REGR_INTERCEPT(y, x), REGR_R2(y, x) FROM p
SELECT REGR_COUNT(y, x), REGR_AVGX(y, x), REGR_AVGY(y, x), REGR_SXX(y, x), REGR_SYY(y, x), REGR_SXY(y, x) FROM p
SELECT COUNT(*) FILTER (WHERE a = 1), SUM(x) FILTER (WHERE b IN (1, 2) OR c IS NULL) FROM p
SELECT MIN(d), MAX(d), MODE() WITHIN GROUP (ORDER BY d DESC), PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY d ASC) FILTER (WHERE a = 1), PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY d) FROM p
SELECT SUM(CASE WHEN a = 1 THEN x WHEN a = 2 THEN 2 * x ELSE 0 END), CASE a WHEN 1 THEN 'one' ELSE NULL END FROM p GROUP BY a
SELECT CASE WHEN COUNT(*) > 3 AND SUM(x) < 4 THEN 1 END FROM p HAVING CASE WHEN COUNT(*) > 3 THEN 1 ELSE 2 END = 1
SELECT EXTRACT(YEAR FROM d), EXTRACT('quarter' FROM d), EXTRACT("month" FROM d), date_part('week', d), date_trunc('decade', d) FROM p GROUP BY d
SELECT COUNT(*) FROM p WHERE d <= date '1998-12-01' - interval '90' day AND d >= DATE '1994-01-01' + INTERVAL '1' YEAR AND d <> TIMESTAMP '2024-01-01 00:00:00'
SELECT COUNT(*) FROM p WHERE d - INTERVAL '1 year 2 months -3 days' < '2024-01-31'::date + 7 AND d - DATE '2024-01-01' > 3
SELECT CAST(SUM(x) AS NUMERIC), CAST(COUNT(*) AS INTEGER), SUM(x)::numeric, COUNT(*)::bigint::int, CAST(d AS date) FROM p GROUP BY d
SELECT COALESCE(a, 'x', b), NULLIF(a, 'y'), ROUND(SUM(x)), ROUND(SUM(x) / 3, 2) FROM p GROUP BY a, b
SELECT (a - 1) / 3 AS q, COUNT(*) FROM p GROUP BY q, (a - 1) / 3 ORDER BY q NULLS FIRST, COUNT(*) + 1 DESC
SELECT date, interval, value, "user", "end", timestamp, time, row FROM p GROUP BY date, interval, value, "user", "end", timestamp, time, row
SELECT a AS "select", b AS year, c AS user, d d2 FROM p GROUP BY a, b, c, d
SELECT k, p.v - q.v AS diff FROM (SELECT k, SUM(x) AS v FROM t WHERE o = 'a' GROUP BY k HAVING COUNT(*) > 1) AS p JOIN (SELECT u.k, SUM(x) v FROM t u GROUP BY 1) q USING (k) WHERE p.v > q.v ORDER BY diff OFFSET 1 ROWS
SELECT k FROM (SELECT k, l FROM t GROUP BY k, l) p INNER JOIN (SELECT k, l FROM t GROUP BY k, l) q USING (k, l);
SELECT SUM(a.x * b.y) AS xy FROM t a JOIN acme/u AS b USING (k, l) WHERE l = 1 GROUP BY a.k
SELECT COUNT(*) FROM t INNER JOIN u USING (k)
SELECT COUNT(*) FROM p WHERE a = PRIVATE($1) AND b IN (PRIVATE($2), PRIVATE($3)) -- comment
SELECT /* nested /* comment */ */ COUNT(*) FROM p LIMIT 3
