SELECT profile
FROM orders
GROUP BY profile
HAVING sum(dollars) >= 1000 OR (count(*) >= 2 AND sum(dollars) >= 80 * count(*))
