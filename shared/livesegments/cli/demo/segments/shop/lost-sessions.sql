SELECT DISTINCT profile
FROM events AS cart
WHERE event = 'add_to_cart'
    AND instant() < stamp + to_hours(7 * 24)
    AND stamp + to_hours(2) <= instant()
    AND NOT EXISTS (
        FROM events AS bought
        WHERE bought.event = 'purchase'
            AND bought.profile = cart.profile
            AND bought.session = cart.session
            AND (bought.stamp, bought.line) > (cart.stamp, cart.line)
            AND bought.stamp <= cart.stamp + to_hours(2)
    )
