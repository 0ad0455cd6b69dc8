-- A customer ceases to be active 3 months after an order that no other has followed by then.
SELECT DISTINCT profile
FROM (
    SELECT
        profile,
        stamp + INTERVAL 3 MONTHS AS over_at,
        lead(stamp) OVER (PARTITION BY profile ORDER BY stamp, line) AS next_at
    FROM orders
)
WHERE (next_at IS NULL OR next_at >= over_at)
    AND over_at <= instant()
    AND instant() < over_at + to_hours(30 * 24)
