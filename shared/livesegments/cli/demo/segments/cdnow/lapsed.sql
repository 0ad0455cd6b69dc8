SELECT profile FROM orders GROUP BY profile HAVING max(stamp + INTERVAL 6 MONTHS) <= instant()
