SELECT DISTINCT profile
FROM orders AS big
WHERE cds >= 5
    AND instant() < stamp + INTERVAL 1 YEAR
    AND stamp + to_hours(90 * 24) <= instant()
    AND NOT EXISTS (
        FROM orders AS later
        WHERE later.profile = big.profile
            AND (later.stamp, later.line) > (big.stamp, big.line)
            AND later.stamp <= big.stamp + to_hours(90 * 24)
    )
