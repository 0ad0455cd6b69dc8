SELECT profile
FROM events
WHERE event = 'add_to_cart' AND instant() < stamp + to_hours(60 * 24)
GROUP BY profile
HAVING count(DISTINCT stamp::DATE) >= 2
