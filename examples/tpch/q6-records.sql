-- TPC-H Q6 over records: the year is a dimension of its own there, as a range of days
-- would be one factor too many.
SELECT SUM(l_extendedprice * l_discount) AS revenue
FROM lines
WHERE l_shipyear = '1994'
  AND l_discount BETWEEN 0.06 - 0.01 AND 0.06 + 0.01
  AND l_quantity < 24;
