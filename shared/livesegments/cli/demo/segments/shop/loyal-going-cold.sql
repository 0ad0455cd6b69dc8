SELECT profile FROM profiles WHERE lifecycle = 'loyal'
EXCEPT
SELECT profile FROM pages WHERE instant() < stamp + to_hours(14 * 24)
