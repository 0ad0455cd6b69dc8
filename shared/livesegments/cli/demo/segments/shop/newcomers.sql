SELECT profile
FROM profiles
WHERE instant() < created_at + INTERVAL 2 MONTHS AND (channel IS NULL OR channel NOT IN ('paid_search', 'social'))
