SELECT profile
FROM profiles, range(1, 3) AS years (n)
WHERE (created_at + to_years(n::INTEGER))::DATE BETWEEN instant()::DATE AND instant()::DATE + 250
GROUP BY profile
