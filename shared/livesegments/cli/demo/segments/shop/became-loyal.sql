SELECT DISTINCT profile
FROM (
    SELECT profile, stamp, lifecycle, lag(lifecycle) OVER (PARTITION BY profile ORDER BY stamp, line) AS before
    FROM events
)
WHERE lifecycle = 'loyal' AND before IS DISTINCT FROM 'loyal' AND instant() < stamp + INTERVAL 1 MONTH
