-- The nearest pair is enough: if any two orders lie so, the first of them and its next one do.
SELECT DISTINCT profile
FROM (
    SELECT profile, stamp, lead(stamp) OVER (PARTITION BY profile ORDER BY stamp, line) AS next_at FROM orders
)
WHERE next_at <= stamp + to_hours(30 * 24) AND instant() < stamp + INTERVAL 1 YEAR
