SELECT profile
FROM events
WHERE event = 'product_view'
    AND stamp >= date_trunc('week', instant()) - INTERVAL 28 DAY
    AND stamp < date_trunc('week', instant())
GROUP BY profile
HAVING count(DISTINCT date_trunc('week', stamp)) >= 3
