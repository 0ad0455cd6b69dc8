SELECT DISTINCT profile
FROM events
WHERE event = 'purchase' AND date_trunc('month', stamp) = date_trunc('month', instant()) - INTERVAL 1 MONTH
