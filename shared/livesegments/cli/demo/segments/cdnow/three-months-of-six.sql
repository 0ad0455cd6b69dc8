SELECT profile
FROM orders
WHERE stamp >= date_trunc('month', instant()) - INTERVAL 6 MONTH AND stamp < date_trunc('month', instant())
GROUP BY profile
HAVING count(DISTINCT date_trunc('month', stamp)) >= 3
