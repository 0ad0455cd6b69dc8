SELECT profile FROM orders GROUP BY profile HAVING instant() < min(stamp) + to_hours(30 * 24)
