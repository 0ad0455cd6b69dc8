SELECT profile FROM orders GROUP BY profile HAVING count(*) = 1
