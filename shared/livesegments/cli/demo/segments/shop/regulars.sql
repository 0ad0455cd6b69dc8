SELECT profile
FROM pages
WHERE event IN ('catalog', 'promo_page') AND instant() < stamp + INTERVAL 2 MONTHS
GROUP BY profile
HAVING count(DISTINCT stamp::DATE) >= 6
