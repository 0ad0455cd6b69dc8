-- The VIP who is the first to leave by the clock alone: the amounts that decide, and the instant. An order's year
-- ends where its calendar says, so only such an instant can change anything.
WITH vips AS (
    SELECT profile
    FROM orders
    WHERE instant() < stamp + INTERVAL 1 YEAR
    GROUP BY profile
    HAVING sum(dollars) >= 500 AND count(DISTINCT stamp::DATE) >= 6
),
ends AS (
    SELECT DISTINCT profile, stamp + INTERVAL 1 YEAR AS ends_at
    FROM orders SEMI JOIN vips USING (profile)
    WHERE instant() < stamp + INTERVAL 1 YEAR
),
left_over AS (
    SELECT
        ends.profile,
        ends.ends_at,
        coalesce(sum(dollars) FILTER (ends.ends_at < stamp + INTERVAL 1 YEAR), 0) AS spent,
        count(DISTINCT stamp::DATE) FILTER (ends.ends_at < stamp + INTERVAL 1 YEAR) AS days
    FROM ends JOIN orders USING (profile)
    GROUP BY ends.profile, ends.ends_at
),
leaving AS (
    SELECT profile, min(ends_at) AS flips_at FROM left_over WHERE spent < 500 OR days < 6 GROUP BY profile
),
chosen AS (SELECT * FROM leaving ORDER BY flips_at, profile LIMIT 1),
amounts AS (
    SELECT sum(dollars) AS spent, count(DISTINCT stamp::DATE) AS days
    FROM orders SEMI JOIN chosen USING (profile)
    WHERE instant() < stamp + INTERVAL 1 YEAR
)
SELECT profile, epoch_ms(flips_at) AS flips_ms, pointer, amount::DOUBLE AS amount
FROM chosen, (
    SELECT '/of/0' AS pointer, spent AS amount FROM amounts
    UNION ALL
    SELECT '/of/1', days FROM amounts
)
ORDER BY pointer
