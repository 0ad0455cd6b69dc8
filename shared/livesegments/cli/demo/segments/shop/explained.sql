-- The regular who is the first to leave by the clock alone: on how many days, and the instant. A visit's 2 months
-- end where the calendar says, so only such an instant can change anything.
WITH visits AS (
    SELECT profile, stamp
    FROM pages
    WHERE event IN ('catalog', 'promo_page') AND instant() < stamp + INTERVAL 2 MONTHS
),
regulars AS (SELECT profile FROM visits GROUP BY profile HAVING count(DISTINCT stamp::DATE) >= 6),
ends AS (
    SELECT DISTINCT profile, stamp + INTERVAL 2 MONTHS AS ends_at FROM visits SEMI JOIN regulars USING (profile)
),
left_over AS (
    SELECT
        ends.profile,
        ends.ends_at,
        count(DISTINCT stamp::DATE) FILTER (ends.ends_at < stamp + INTERVAL 2 MONTHS) AS days
    FROM ends JOIN visits USING (profile)
    GROUP BY ends.profile, ends.ends_at
),
leaving AS (SELECT profile, min(ends_at) AS flips_at FROM left_over WHERE days < 6 GROUP BY profile)
SELECT profile, epoch_ms(flips_at) AS flips_ms, '' AS pointer, count(DISTINCT stamp::DATE)::DOUBLE AS amount
FROM leaving JOIN visits USING (profile)
GROUP BY profile, flips_at
ORDER BY flips_at, profile
LIMIT 1
