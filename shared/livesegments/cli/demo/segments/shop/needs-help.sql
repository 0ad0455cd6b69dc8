SELECT profile
FROM pages
WHERE event = 'error_page' AND instant() < stamp + to_hours(14 * 24)
GROUP BY profile
HAVING count(*) >= 2
UNION
SELECT profile FROM events WHERE event = 'support_chat' AND instant() < stamp + to_hours(7 * 24)
