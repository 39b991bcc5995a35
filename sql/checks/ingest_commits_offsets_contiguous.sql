-- ingest_commits_offsets_contiguous: each commit goes on where the one before ended: no offset is left out or taken in twice
-- Failure. Table ingest_commits. Left out: Kafka had deleted them before they were read. Grain: one commit of one partition.
SELECT cluster_id, kafka_topic, kafka_partition, ts_commit, before AS expected, offset_from FROM (
    SELECT *, lag(offset_next) OVER (
        PARTITION BY cluster_id, kafka_topic, kafka_partition, incarnation ORDER BY offset_from, offset_next) AS before
    FROM ingest_commits WHERE ts_commit >= $since::TIMESTAMP - INTERVAL 1 DAY -- and later: of a clock that was ahead
)
WHERE ts_commit >= $since AND ts_commit < $until AND before <> offset_from
