-- The clickstream as the file has it, one row an event. It names no zone: its stamps are read as UTC.
-- Calendar steps and days follow the shop's zone.
SET TimeZone = 'Europe/Berlin';

CREATE TABLE clicks AS
SELECT
    row_number() OVER () AS line,
    user_id AS profile,
    session_id AS session,
    event,
    timestamp AT TIME ZONE 'UTC' AS stamp,
    platform,
    acquisition_channel AS channel,
    user_lifecycle AS lifecycle
FROM read_csv(
    getvariable('raw'),
    header = true,
    columns = {
        'user_id': 'VARCHAR', 'session_id': 'VARCHAR', 'event': 'VARCHAR', 'timestamp': 'TIMESTAMP',
        'platform': 'VARCHAR', 'acquisition_channel': 'VARCHAR', 'user_cohort': 'VARCHAR',
        'user_lifecycle': 'VARCHAR'
    }
);

CREATE MACRO instant() AS getvariable('instant')::TIMESTAMPTZ;

CREATE VIEW events AS SELECT * FROM clicks WHERE stamp <= instant();

-- What the file calls an event and the shop a page.
CREATE VIEW pages AS
SELECT * FROM events WHERE event IN ('home', 'catalog', 'promo_page', 'account_page', 'review_page', 'error_page', 'cart');

-- Each profile as its newest row describes it.
CREATE VIEW profiles AS
SELECT
    profile,
    min(stamp) AS created_at,
    arg_max(channel, (stamp, line)) AS channel,
    arg_max(lifecycle, (stamp, line)) AS lifecycle
FROM events
GROUP BY profile;
