both: SELECT COUNT(*) FROM other
both: SELECT COUNT(*) FROM other/trade
both: SELECT valu FROM trade
both: SELECT COUNT(*) FROM trade WHERE mont = 1
both: SELECT COUNT(*) FROM trade t WHERE trade.month = 1
both: SELECT value FROM trade
both: SELECT month FROM trade
both: SELECT month, COUNT(*) FROM trade
both: SELECT month, partner, COUNT(*) FROM trade GROUP BY month
both: SELECT 1 FROM trade
both: SELECT ROUND(1.5) FROM trade
both: SELECT SUM(month) FROM trade
both: SELECT SUM(owner) FROM trade
both: SELECT SUM(value / weight) FROM trade
both: SELECT SUM('x') FROM trade
both: SELECT COUNT(NULL) FROM trade
cube: SELECT SUM(value * weight * duty) FROM trade
records: SELECT SUM(duty * weight * duty) FROM trade
records: SELECT SUM(value * value * value) FROM trade
both: SELECT SUM(value * month) FROM trade
both: SELECT SUM(SUM(value)) FROM trade
cube: SELECT STDDEV(value * weight) FROM trade
both: SELECT COUNT(*) FROM trade WHERE value > 100
both: SELECT COUNT(*) FROM trade WHERE value IS NULL
both: SELECT COUNT(*) FROM trade WHERE COUNT(*) > 3
both: SELECT COUNT(*) FROM trade WHERE SUM(value)
both: SELECT COUNT(*) FROM trade WHERE month
both: SELECT COUNT(*) FROM trade WHERE month = partner
both: SELECT COUNT(*) FROM trade WHERE month IN (1, partner)
both: SELECT COUNT(*) FROM trade WHERE (month = 1) IS NULL
both: SELECT COUNT(*) FROM trade WHERE 'a' = 1
both: SELECT COUNT(*) FROM trade WHERE 7
both: SELECT COUNT(*) FROM trade WHERE ROUND(1) = 1
both: SELECT COUNT(*) FROM trade WHERE month = 13
both: SELECT COUNT(*) FROM trade WHERE month = 1.5
both: SELECT COUNT(*) FROM trade WHERE month = 'June'
both: SELECT COUNT(*) FROM trade WHERE partner = 'de'
both: SELECT COUNT(*) FROM trade WHERE partner IN ('DE', 'XX')
both: SELECT COUNT(*) FROM trade WHERE chapter = '3'
both: SELECT COUNT(*) FROM trade WHERE half = 3
both: SELECT COUNT(*) FROM trade WHERE size < 'huge'
both: SELECT COUNT(*) FROM trade WHERE year >= 2020
both: SELECT COUNT(*) FROM trade WHERE partner < 3
both: SELECT COUNT(*) FROM trade GROUP BY value
both: SELECT COUNT(*) FROM trade GROUP BY 2
both: SELECT COUNT(*) FROM trade GROUP BY 1
both: SELECT COUNT(*) AS n FROM trade GROUP BY n
both: SELECT COUNT(*) AS n FROM trade HAVING n > 1
both: SELECT COUNT(*) FROM trade HAVING month = 1
both: SELECT COUNT(*) FROM trade HAVING COUNT(*)
both: SELECT month, COUNT(*) FROM trade GROUP BY month HAVING month = 13
both: SELECT month, COUNT(*) FROM trade GROUP BY month HAVING partner = 'DE'
both: SELECT partner, COUNT(*) FROM trade GROUP BY partner HAVING partner = COUNT(*)
both: SELECT partner, chapter, COUNT(*) FROM trade GROUP BY 1, 2 HAVING partner = chapter
both: SELECT COUNT(*) > 1 FROM trade
both: SELECT NOT TRUE FROM trade
both: SELECT partner + 1, COUNT(*) FROM trade GROUP BY partner
both: SELECT COALESCE(partner, 1), COUNT(*) FROM trade GROUP BY partner
both: SELECT NULLIF(COUNT(*), 'x') FROM trade
both: SELECT ROUND(COUNT(*), COUNT(*)) FROM trade
both: SELECT ROUND(COUNT(*), 1.5) FROM trade
both: SELECT COUNT(*) FROM trade ORDER BY 2
both: SELECT COUNT(*) FROM trade ORDER BY 'x'
both: SELECT COUNT(*) FROM trade ORDER BY value
both: SELECT COUNT(*) AS n, SUM(value) AS n FROM trade ORDER BY n
both: SELECT COUNT(*) AS n FROM trade ORDER BY n + 1
cube: SELECT SUM(duty * duty) FROM trade
cube: SELECT VARIANCE(duty) FROM trade
cube: SELECT SUM(value * duty) FROM trade
records: SELECT month, SUM(value) FROM trade WHERE partner = 'DE' GROUP BY month
records: SELECT SUM(value) FROM trade WHERE month = 1 OR partner = 'DE'
records: SELECT AVG(weight) FROM trade WHERE month = 1 AND partner = 'DE' AND chapter = '01'
records: SELECT month, partner, chapter, COUNT(*) FROM trade GROUP BY 1, 2, 3
records: SELECT month, COUNT(*) FROM trade WHERE partner = 'DE' AND chapter = '01' GROUP BY month
records: SELECT month, COUNT(weight) FROM trade WHERE partner = 'DE' GROUP BY month
records: SELECT month, VARIANCE(duty) FROM trade GROUP BY month
records: SELECT SUM(duty * weight) FROM trade WHERE partner IS NOT NULL
both: SELECT SUM(value * month + 1) FROM trade
both: SELECT SUM(1 / 2) FROM trade
both: SELECT SUM(NULL) FROM trade
both: SELECT SUM(COALESCE(weight, 1)) FROM trade
both: SELECT SUM(COALESCE(weight, value)) FROM trade
both: SELECT SUM(ROUND(value)) FROM trade
both: SELECT SUM(value > 3) FROM trade
both: SELECT SUM(CASE WHEN value > 3 THEN 1 END) FROM trade
both: SELECT SUM(CASE WHEN month = 1 THEN partner END) FROM trade
both: SELECT SUM(CASE WHEN month = 1 THEN 'x' END) FROM trade
both: SELECT SUM(value * value * value * value * value * value * value * value * value) FROM trade
both: SELECT SUM(value) FILTER (WHERE value > 3) FROM trade
both: SELECT SUM(value) FILTER (WHERE COUNT(*) > 3) FROM trade
both: SELECT SUM(value) FILTER (WHERE month) FROM trade
both: SELECT COVAR_POP(value, month) FROM trade
records: SELECT CORR(value, value * weight) FROM trade
both: SELECT ROUND(CORR(value, value), 2) FROM trade
both: SELECT MIN(value) FROM trade
both: SELECT MIN(1) FROM trade
both: SELECT PERCENTILE_DISC(1.5) WITHIN GROUP (ORDER BY month) FROM trade
both: SELECT PERCENTILE_DISC(month) WITHIN GROUP (ORDER BY month) FROM trade
both: SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY partner) FROM trade
both: SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY day) FROM trade
both: SELECT COUNT(*) FROM trade WHERE month + chapter = 3
both: SELECT COUNT(*) FROM trade WHERE CASE WHEN month = 1 THEN chapter ELSE size END = 'x'
both: SELECT COUNT(*) FROM trade WHERE CASE WHEN month = 1 THEN 1 ELSE 'x' END = 1
both: SELECT COUNT(*) FROM trade WHERE 12 / (month - 1) = 3
both: SELECT COUNT(*) FROM trade WHERE month + 1 = 'x'
both: SELECT COUNT(*) FROM trade WHERE COALESCE(partner, 1) = 'DE'
both: SELECT COUNT(*) FROM trade WHERE partner || 'x' = 'DEx'
both: SELECT COUNT(*) FROM trade WHERE partner + 1 = 2
both: SELECT COUNT(*) FROM trade WHERE day = DATE '2024-05-05'
both: SELECT COUNT(*) FROM trade WHERE day = '2024-02'
both: SELECT COUNT(*) FROM trade WHERE day > 2024
both: SELECT COUNT(*) FROM trade WHERE month = DATE '2024-01-01'
both: SELECT COUNT(*) FROM trade WHERE year < DATE '2024-01-01'
both: SELECT COUNT(*) FROM trade WHERE month < 3 + INTERVAL '1' DAY
both: SELECT COUNT(*) FROM trade WHERE day < INTERVAL '1' DAY
both: SELECT COUNT(*) FROM trade WHERE day + day = day
both: SELECT COUNT(*) FROM trade WHERE day - INTERVAL '9999 years' = DATE '2024-01-01'
both: SELECT COUNT(*) FROM trade WHERE date_trunc('month', day) - DATE '2024-01-01' = 3
both: SELECT COUNT(*) FROM trade WHERE EXTRACT(YEAR FROM month) = 2024
both: SELECT COUNT(*) FROM trade WHERE CAST(partner AS DATE) = DATE '2024-01-01'
both: SELECT COUNT(*) FROM trade WHERE CAST(partner AS INTEGER) = 1
both: SELECT COUNT(*) FROM trade GROUP BY value + 1
both: SELECT COUNT(*) FROM trade GROUP BY month + chapter
both: SELECT COUNT(*) FROM trade GROUP BY month = 1
both: SELECT COUNT(*) FROM trade GROUP BY CASE WHEN TRUE THEN 1 END
both: SELECT month + 1, COUNT(*) FROM trade GROUP BY month + 2
both: SELECT CASE WHEN COUNT(*) > 1 THEN 'many' ELSE 0 END FROM trade
both: SELECT CASE WHEN month = 1 THEN 1 END FROM trade
both: SELECT CASE COUNT(*) WHEN 'x' THEN 1 END FROM trade
both: SELECT MIN(day) + 1.5 FROM trade
both: SELECT ROUND(MIN(day)) FROM trade
both: SELECT MAX(day) = 'today' FROM trade
both: SELECT COUNT(*) FROM trade HAVING MAX(day) = 'today'
cube: SELECT SUM(weight + duty) FROM trade
cube: SELECT COVAR_POP(value, weight) FROM trade
cube: SELECT CORR(value, duty) FROM trade
cube: SELECT AVG(net * value) FROM trade
records: SELECT SUM(weight + duty) FROM trade WHERE month = 1
records: SELECT SUM(value) FILTER (WHERE month = 1) FROM trade WHERE partner = 'DE'
records: SELECT SUM(CASE WHEN month = 1 THEN value END) FROM trade WHERE partner = 'DE'
records: SELECT SUM(net * duty) FROM trade WHERE month = 1
both: SELECT month, a - b FROM (SELECT month, SUM(value) AS a FROM trade GROUP BY month) p JOIN (SELECT month, SUM(value) AS b FROM other GROUP BY month) q USING (month)
both: SELECT month, SUM(a) FROM (SELECT month, SUM(value) AS a FROM trade GROUP BY month) p JOIN (SELECT month FROM trade GROUP BY month) q USING (month)
both: SELECT month FROM (SELECT month FROM trade GROUP BY month) p JOIN (SELECT month FROM trade GROUP BY month) q USING (month) GROUP BY month
both: SELECT month FROM (SELECT month FROM trade GROUP BY month) p JOIN (SELECT month, partner FROM trade GROUP BY month, partner) q USING (month)
both: SELECT month FROM (SELECT month FROM trade GROUP BY month) p JOIN (SELECT chapter FROM trade GROUP BY chapter) q USING (month)
both: SELECT d FROM (SELECT month AS d FROM trade GROUP BY month) p JOIN (SELECT chapter AS d FROM trade GROUP BY chapter) q USING (d)
both: SELECT d FROM (SELECT month, SUM(value) AS d FROM trade GROUP BY month) p JOIN (SELECT month, SUM(value) AS d FROM trade GROUP BY month) q USING (d)
both: SELECT v FROM (SELECT month, SUM(value) AS v FROM trade GROUP BY month) p JOIN (SELECT month, SUM(value) AS v FROM trade GROUP BY month) q USING (month)
both: SELECT p.w FROM (SELECT month, SUM(value) AS v FROM trade GROUP BY month) p JOIN (SELECT month FROM trade GROUP BY month) q USING (month)
both: SELECT month FROM (SELECT month FROM trade GROUP BY month) p JOIN (SELECT month FROM trade GROUP BY month) p USING (month)
both: SELECT month FROM (SELECT x.month FROM trade t GROUP BY 1) p JOIN (SELECT month FROM trade GROUP BY month) q USING (month)
both: SELECT month, value FROM (SELECT month, value FROM trade GROUP BY month) p JOIN (SELECT month FROM trade GROUP BY month) q USING (month)
both: SELECT month FROM (SELECT month FROM trade WHERE partner = PRIVATE($1) GROUP BY month) p JOIN (SELECT month FROM trade GROUP BY month) q USING (month)
both: SELECT month FROM (SELECT month, value FROM trade GROUP BY month) p JOIN (SELECT month FROM trade GROUP BY month) q USING (month)
