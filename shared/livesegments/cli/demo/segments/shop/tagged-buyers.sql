SELECT profile
FROM events
GROUP BY profile
HAVING count(*) FILTER (channel = 'paid_search') >= 1 AND count(*) FILTER (event = 'purchase') >= 1
