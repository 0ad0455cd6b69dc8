SELECT paying.profile
FROM events AS paying
JOIN events AS failed
    ON failed.profile = paying.profile
    AND failed.event = 'payment_error'
    AND (failed.stamp, failed.line) > (paying.stamp, paying.line)
    AND failed.stamp <= paying.stamp + to_hours(24)
WHERE paying.event = 'payment_details'
    AND instant() < paying.stamp + to_hours(30 * 24)
    AND paying.stamp + to_hours(24) <= instant()
    AND NOT EXISTS (
        FROM events AS bought
        WHERE bought.event = 'purchase'
            AND bought.profile = paying.profile
            AND (bought.stamp, bought.line) > (failed.stamp, failed.line)
            AND bought.stamp <= paying.stamp + to_hours(24)
    )
UNION
SELECT profile FROM events WHERE event = 'checkout_bug' AND instant() < stamp + to_hours(30 * 24)
