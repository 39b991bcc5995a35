-- instruments_as_of: every contract, with the time for which each of its descriptions was valid; join it to look up any time.
-- Reads instruments. Grain: one description of one contract, valid in [valid_from, valid_to), valid_to null if it is still valid.
-- since: valid_from, but 1970 for a contract's first description, which is also used for the time before it was known. To join: t
-- ASOF JOIN instruments_as_of AS i ON t.venue = i.venue AND t.symbol = i.symbol AND t.ts_event >= i.since. status: the venue's
-- word, or 'delisted' since the venue's list no longer has the contract; a contract that comes back has a new row.
SELECT
    * EXCLUDE (ts_recv, source, kafka_topic, kafka_partition, kafka_offset, session, seq),
    CASE WHEN row_number() OVER described = 1 THEN TIMESTAMP '1970-01-01' ELSE valid_from END AS since,
    lead(valid_from) OVER described AS valid_to,
    lead(valid_from) OVER described IS NULL AS is_current
FROM instruments
WINDOW described AS (PARTITION BY venue, symbol ORDER BY valid_from, ts_recv)
