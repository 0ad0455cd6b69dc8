-- The purchases as the file has them: customer, day, number of CDs, dollars; columns set with spaces.
-- A purchase counts from its day's midnight in New York. Calendar steps follow that zone as well.
SET TimeZone = 'America/New_York';

CREATE TABLE purchases AS
SELECT
    row_number() OVER () AS line,
    part[1] AS profile,
    strptime(part[2], '%Y%m%d') AT TIME ZONE 'America/New_York' AS stamp,
    part[3]::INTEGER AS cds,
    part[4]::DECIMAL(18, 2) AS dollars
FROM (
    SELECT regexp_split_to_array(trim(row, E' \r'), ' +') AS part
    FROM read_csv(getvariable('raw'), columns = {'row': 'VARCHAR'}, delim = '\0', header = true, quote = '', escape = '')
);

CREATE MACRO instant() AS getvariable('instant')::TIMESTAMPTZ;

CREATE VIEW orders AS SELECT * FROM purchases WHERE stamp <= instant();
