-- leverage_tiers_as_of: every margin table, with the time for which it was valid.
-- Reads leverage_tiers. Grain: one step of one contract's (OKX: family's) margin table, valid in [valid_from, valid_to), valid_to
-- null if it is still valid. If any step changes, the whole table is stored again, so the steps with one valid_from are a whole
-- table. unit: of floors and caps. source: live; import (a file of the operator's); or static: a table of the package, for a venue
-- that gives its own only with a key. The valid_from of a static table is the date on which the venue published it, so it may be
-- out of date.
WITH versions AS (
    SELECT venue, symbol, valid_from, lead(valid_from) OVER (PARTITION BY venue, symbol ORDER BY valid_from) AS valid_to
    FROM (SELECT DISTINCT venue, symbol, valid_from FROM leverage_tiers)
)
SELECT
    t.* EXCLUDE (ts_recv, kafka_topic, kafka_partition, kafka_offset, session, seq),
    v.valid_to,
    v.valid_to IS NULL AS is_current
FROM leverage_tiers AS t JOIN versions AS v USING (venue, symbol, valid_from)
