SELECT profile
FROM events
JOIN profiles USING (profile)
WHERE profiles.channel IN ('paid_search', 'social')
    AND event = 'product_view'
    AND platform = 'mobile'
    AND instant() < stamp + to_hours(30 * 24)
GROUP BY profile
HAVING count(*) >= 3
