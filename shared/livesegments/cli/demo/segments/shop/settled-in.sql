SELECT profile
FROM profiles
WHERE created_at + to_hours(30 * 24) <= instant() AND instant() < created_at + to_hours(90 * 24)
