-- duplicates_dropped: rows that were left out because they were stored already, per day and table.
-- Reads commit_duplicates. Grain: one row per day (UTC, of the commit) and table, of the 365 days before as_of(). Two
-- collectors side by side, a repeated frame and a backfill over what is there give duplicates; a lake read anew from Kafka gives none.
-- SQL has the word table to itself: WHERE "table" = 'klines'.
SELECT
    date_trunc('day', ts_commit)::TIMESTAMP AS day,
    "table",
    sum(rows)::BIGINT AS rows,
    max(ts_commit) AS last_commit
FROM commit_duplicates
WHERE ts_commit > as_of() - INTERVAL 365 DAYS AND ts_commit <= as_of()
GROUP BY ALL
ORDER BY day DESC, rows DESC
