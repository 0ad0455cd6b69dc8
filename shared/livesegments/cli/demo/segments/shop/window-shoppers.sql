SELECT profile
FROM events
GROUP BY profile
HAVING count(*) FILTER (event = 'product_view' AND instant() < stamp + to_hours(30 * 24)) >= 10
    AND count(*) FILTER (event = 'purchase') = 0
