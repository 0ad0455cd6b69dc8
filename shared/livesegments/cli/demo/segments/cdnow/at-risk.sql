SELECT profile
FROM orders
GROUP BY profile
HAVING count(DISTINCT stamp::DATE) >= 3
    AND max(stamp) + to_hours(90 * 24) <= instant()
    AND instant() < max(stamp) + to_hours(180 * 24)
