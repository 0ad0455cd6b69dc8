SELECT profile
FROM orders
GROUP BY profile
HAVING arg_max(dollars, (stamp, line)) >= 100
