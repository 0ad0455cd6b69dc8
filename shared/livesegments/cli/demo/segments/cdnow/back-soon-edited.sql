SELECT profile
FROM orders
WHERE instant() < stamp + to_hours(60 * 24)
GROUP BY profile
HAVING count(DISTINCT stamp::DATE) >= 2
