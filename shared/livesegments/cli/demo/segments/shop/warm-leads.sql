WITH shoppers AS (
    SELECT profile
    FROM events
    GROUP BY profile
    HAVING count(*) FILTER (event = 'product_view' AND instant() < stamp + to_hours(30 * 24)) >= 10
        AND count(*) FILTER (event = 'purchase') = 0
        AND count(*) FILTER (event IN ('wishlist_add', 'compare') AND instant() < stamp + to_hours(30 * 24)) >= 1
)
FROM shoppers
EXCEPT
-- Who has never bought has abandoned every cart.
SELECT profile
FROM events
WHERE event = 'add_to_cart' AND stamp + to_hours(2) <= instant() AND instant() < stamp + to_hours(7 * 24)
