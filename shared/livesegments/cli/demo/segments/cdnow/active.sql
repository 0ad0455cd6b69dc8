SELECT DISTINCT profile FROM orders WHERE instant() < stamp + INTERVAL 3 MONTHS
