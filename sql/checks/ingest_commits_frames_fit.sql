-- ingest_commits_frames_fit: a commit holds no more records than offsets
-- Failure. Table ingest_commits. Grain: one commit of one partition.
SELECT cluster_id, kafka_topic, kafka_partition, ts_commit, offset_from, offset_next, frames FROM ingest_commits
WHERE ts_commit >= $since AND ts_commit < $until AND (frames > offset_next - offset_from OR offset_next < offset_from)
