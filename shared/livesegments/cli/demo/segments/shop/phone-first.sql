SELECT profile
FROM (
    SELECT profile, platform, count(*) AS views, max((stamp, line)) AS newest
    FROM events
    WHERE event = 'product_view' AND instant() < stamp + to_hours(30 * 24)
    GROUP BY profile, platform
)
GROUP BY profile
HAVING arg_max(platform, (views, newest)) = 'mobile'
