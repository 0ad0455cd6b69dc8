SELECT profile
FROM orders
WHERE instant() < stamp + INTERVAL 1 YEAR
GROUP BY profile
HAVING sum(dollars) >= 500 AND count(DISTINCT stamp::DATE) >= 6
