SELECT profile
FROM events
WHERE event = 'product_view' AND instant() < stamp + to_hours(60 * 24)
GROUP BY profile
HAVING count(DISTINCT platform) >= 2
