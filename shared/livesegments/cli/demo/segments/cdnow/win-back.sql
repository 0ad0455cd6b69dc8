-- Only an order can make a VIP, so it is enough to look at the year before each.
WITH were_vip AS (
    SELECT DISTINCT current.profile
    FROM orders AS current
    JOIN orders AS earlier
        ON earlier.profile = current.profile
        AND (earlier.stamp, earlier.line) <= (current.stamp, current.line)
        AND current.stamp < earlier.stamp + INTERVAL 1 YEAR
    GROUP BY current.profile, current.line
    HAVING sum(earlier.dollars) >= 500 AND count(DISTINCT earlier.stamp::DATE) >= 6
)
SELECT profile
FROM orders
GROUP BY profile
HAVING max(stamp + INTERVAL 6 MONTHS) <= instant()
    AND (
        sum(dollars) >= 1000
        OR (count(*) >= 2 AND sum(dollars) >= 80 * count(*))
        OR profile IN (FROM were_vip)
    )
