-- TPC-H Q1 over records.
SELECT
    l_returnflag,
    l_linestatus,
    SUM(qty) AS sum_qty,
    SUM(l_extendedprice) AS sum_base_price,
    SUM(disc_price) AS sum_disc_price,
    SUM(charge) AS sum_charge,
    AVG(qty) AS avg_qty,
    AVG(l_extendedprice) AS avg_price,
    AVG(disc) AS avg_disc,
    COUNT(*) AS count_order
FROM lines
WHERE l_shipdate <= '1998-09-02'
GROUP BY l_returnflag, l_linestatus
ORDER BY l_returnflag, l_linestatus;
