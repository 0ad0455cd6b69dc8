SELECT profile
FROM events
WHERE event = 'product_view' AND platform IN ('mobile', 'tablet') AND instant() < stamp + to_hours(30 * 24)
GROUP BY profile
HAVING count(*) >= 3
