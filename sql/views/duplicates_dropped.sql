-- duplicates_dropped: rows that were left out because they were stored already, per day and table.
-- Reads commit_duplicates. Grain: one row per day (UTC, of the commit) and table, of the 365 days before as_of(). Duplicates come
-- from two collectors side by side, repeated frames, and a backfill of data that is already there. Filling a new lake from Kafka
-- gives none. "table" is a keyword in SQL: write WHERE "table" = 'klines'.
SELECT
    date_trunc('day', ts_commit)::TIMESTAMP AS day,
    "table",
    sum(rows)::BIGINT AS rows,
    max(ts_commit) AS last_commit
FROM commit_duplicates
WHERE ts_commit > as_of() - INTERVAL 365 DAYS AND ts_commit <= as_of()
GROUP BY ALL
ORDER BY day DESC, rows DESC
