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
both: SELECT SUM(value + duty) FROM trade
both: SELECT SUM(value + 1) FROM trade
both: SELECT AVG(value - 1) FROM trade
both: SELECT SUM(2 * value) FROM trade
both: SELECT SUM(value / 2) FROM trade
both: SELECT SUM(value / weight) FROM trade
both: SELECT SUM(-value) FROM trade
both: SELECT SUM(COALESCE(weight, 0)) FROM trade
both: SELECT SUM(1) FROM trade
both: SELECT SUM('x') FROM trade
both: SELECT COUNT(NULL) FROM trade
both: SELECT SUM(value * weight * duty) FROM trade
both: SELECT SUM(value * month) FROM trade
both: SELECT SUM(SUM(value)) FROM trade
both: SELECT STDDEV(value * weight) FROM trade
both: SELECT COUNT(*) FROM trade WHERE value > 100
both: SELECT COUNT(*) FROM trade WHERE value IS NULL
both: SELECT COUNT(*) FROM trade WHERE COUNT(*) > 3
both: SELECT COUNT(*) FROM trade WHERE SUM(value)
both: SELECT COUNT(*) FROM trade WHERE month
both: SELECT COUNT(*) FROM trade WHERE month + 1 = 2
both: SELECT COUNT(*) FROM trade WHERE month = 1 + 1
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
both: SELECT COUNT(*) FROM trade GROUP BY month + 1
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
records: SELECT COUNT(duty * weight) FROM trade WHERE partner IS NOT NULL
