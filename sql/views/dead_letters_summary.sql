-- dead_letters_summary: what could not be read, by venue, channel and reason, and where the latest of it is.
-- Reads dead_letters. Grain: one row per venue, channel and reason, of all time up to as_of(). items: number of dead letters; one
-- frame may give several. last_24h: those of the 24 hours before as_of(). kafka_*: the latest one; to see it: SELECT
-- decode(payload) FROM dead_letters WHERE kafka_topic = … AND kafka_partition = … AND kafka_offset = ….
SELECT
    venue,
    channel,
    reason,
    count(*) AS items,
    count(DISTINCT (kafka_topic, kafka_partition, kafka_offset)) AS frames,
    count(*) FILTER (ts_recv > as_of() - INTERVAL 24 HOURS) AS last_24h,
    min(ts_recv) AS first,
    max(ts_recv) AS last,
    arg_max(kafka_topic, ts_recv) AS kafka_topic,
    arg_max(kafka_partition, ts_recv) AS kafka_partition,
    arg_max(kafka_offset, ts_recv) AS kafka_offset
FROM dead_letters
WHERE ts_recv <= as_of() OR ts_recv IS NULL
GROUP BY venue, channel, reason
ORDER BY last_24h DESC, items DESC
