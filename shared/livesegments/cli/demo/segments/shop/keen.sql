SELECT profile
FROM events
WHERE event IN ('wishlist_add', 'compare', 'add_to_cart') AND instant() < stamp + to_hours(30 * 24)
GROUP BY profile
HAVING count(*) >= 5
