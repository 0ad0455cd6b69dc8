SELECT profile
FROM orders
WHERE date_trunc('quarter', stamp) = date_trunc('quarter', instant()) - INTERVAL 3 MONTH
GROUP BY profile
HAVING count(*) >= 2
