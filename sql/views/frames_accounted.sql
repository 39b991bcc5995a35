-- frames_accounted: per session, whether every frame the collector received is in the warehouse.
-- Reads session_frames, collector_events. Grain: one row per session. highest_seq: the highest number, by the frames stored
-- and by what the collector said (collector_frames); missing and duplicates must be 0 once the session has ended and ingest
-- has drained. Sessions number frames 1, 2, 3...: frames = highest_seq and seq_sum = n(n+1)/2 together show that none is missing.
WITH stored AS (
    SELECT
        session, max(venue) AS venue, max(transport) AS transport,
        sum(frames)::BIGINT AS frames, max(seq_max) AS seq_max, sum(seq_sum) AS seq_sum,
        sum(frames_with_rows)::BIGINT AS frames_with_rows, sum(frames_without_rows)::BIGINT AS frames_without_rows,
        sum(frames_dead)::BIGINT AS frames_dead, min(recv_first) AS recv_first, max(recv_last) AS recv_last
    FROM session_frames
    GROUP BY session
), told AS (
    SELECT
        session, max(venue) AS venue, max(transport) AS transport, max(frames) AS collector_frames,
        bool_or(event IN ('disconnected', 'stopped')) AS ended
    FROM collector_events
    GROUP BY session
), both_sides AS (
    SELECT
        session,
        coalesce(s.venue, t.venue) AS venue,
        coalesce(s.transport, t.transport) AS transport,
        coalesce(t.ended, false) AS ended,
        greatest(coalesce(s.seq_max, 0), coalesce(t.collector_frames, 0)) AS highest_seq,
        coalesce(s.frames, 0) AS frames,
        coalesce(s.seq_sum, 0)::HUGEINT AS seq_sum,
        t.collector_frames, s.* EXCLUDE (session, venue, transport, frames, seq_sum, seq_max)
    FROM stored AS s FULL JOIN told AS t USING (session)
), judged AS (
    SELECT *, frames = highest_seq AND 2 * seq_sum <> highest_seq::HUGEINT * (highest_seq + 1) AS swapped
    FROM both_sides
)
SELECT
    venue,
    session,
    transport,
    ended,
    highest_seq,
    collector_frames,
    frames,
    -- as many as received, but other ones: at least one missing and one twice
    greatest(highest_seq - frames, CASE WHEN swapped THEN 1 ELSE 0 END) AS missing,
    greatest(frames - highest_seq, CASE WHEN swapped THEN 1 ELSE 0 END) AS duplicates,
    frames = highest_seq AND NOT swapped AS complete,
    coalesce(frames_with_rows, 0) AS frames_with_rows,
    coalesce(frames_without_rows, 0) AS frames_without_rows,
    coalesce(frames_dead, 0) AS frames_dead,
    recv_first,
    recv_last
FROM judged
ORDER BY venue, recv_first, session
