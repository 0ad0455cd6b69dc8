SELECT profile
FROM events
WHERE event = 'purchase' AND stamp >= TIMESTAMPTZ '2024-05-01 00:00:00 Europe/Berlin'
GROUP BY profile
HAVING max(stamp) < TIMESTAMPTZ '2024-06-01 00:00:00 Europe/Berlin'
