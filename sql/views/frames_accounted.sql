-- frames_accounted: per session, whether every frame the collector received is in the warehouse.
-- Reads session_frames, collector_events, frame_numbers. Grain: one row per session. state: running; ended (the collector reported
-- the last number); or killed (no end, and no frame or event for 90 s before as_of()). highest_seq: the highest known number, from
-- the stored frames and from the collector's events (collector_frames). missing: numbers up to it that are neither stored nor
-- dropped; while frames flow, it includes those that are still in Kafka. dropped: numbers that the collector dropped and named.
-- duplicates: numbers stored more than once; must be 0. received_again: records that were skipped because their number was stored
-- already. whole: true if the session has ended and every number is stored; false if a number is not stored; null if that is not
-- known, and unknown says why. `from frame_numbers where fate = 'missing'` shows which numbers are missing, and when.
WITH stored AS (
    SELECT
        session, max(venue) AS venue, max(transport) AS transport,
        sum(frames)::BIGINT AS frames, max(seq_max) AS seq_max, coalesce(sum(frames) FILTER (seq_sum IS NOT NULL), 0) AS uncounted,
        coalesce(sum(received_again), 0)::BIGINT AS received_again,
        sum(frames_with_rows)::BIGINT AS frames_with_rows, sum(frames_without_rows)::BIGINT AS frames_without_rows,
        sum(frames_dead)::BIGINT AS frames_dead, min(recv_first) AS recv_first, max(recv_last) AS recv_last
    FROM session_frames
    GROUP BY session
), told AS (
    SELECT
        session, max(venue) AS venue, max(transport) AS transport, max(frames) AS collector_frames,
        bool_or(event IN ('disconnected', 'stopped')) AS ended, max(ts) AS last_event
    FROM collector_events
    WHERE venue <> ''
    GROUP BY session
), numbers AS (
    SELECT
        session, coalesce(sum(frames) FILTER (fate = 'missing'), 0) AS missing,
        coalesce(sum(frames) FILTER (fate = 'dropped'), 0) AS dropped,
        coalesce(sum(frames * (copies - 1)) FILTER (copies > 1), 0) AS duplicates
    FROM frame_numbers
    GROUP BY session
), both_sides AS (
    SELECT
        session,
        coalesce(s.venue, t.venue) AS venue,
        coalesce(s.transport, t.transport) AS transport,
        greatest(s.recv_last, t.last_event) AS last_sign,
        CASE WHEN t.ended THEN 'ended' WHEN last_sign < as_of() - INTERVAL 90 SECONDS THEN 'killed' ELSE 'running' END AS state,
        greatest(coalesce(s.seq_max, 0), coalesce(t.collector_frames, 0)) AS highest_seq,
        t.collector_frames,
        coalesce(s.frames, 0) AS frames,
        coalesce(s.uncounted, 0) AS uncounted,
        s.* EXCLUDE (session, venue, transport, frames, uncounted, seq_max)
    FROM stored AS s FULL JOIN told AS t USING (session)
), judged AS (
    SELECT
        b.*, coalesce(n.dropped, 0)::BIGINT AS dropped,
        CASE WHEN uncounted > 0 THEN greatest(highest_seq - frames - coalesce(n.dropped, 0), 0)
            ELSE coalesce(n.missing, 0) END::BIGINT AS missing,
        CASE WHEN uncounted > 0 THEN greatest(frames - highest_seq, 0) ELSE coalesce(n.duplicates, 0) END::BIGINT AS duplicates
    FROM both_sides AS b LEFT JOIN numbers AS n USING (session)
)
SELECT
    venue,
    session,
    transport,
    state,
    state = 'ended' AS ended,
    highest_seq,
    collector_frames,
    frames,
    missing,
    dropped,
    duplicates,
    coalesce(received_again, 0) AS received_again,
    CASE WHEN dropped > 0 THEN false WHEN state = 'running' THEN NULL WHEN missing > 0 THEN false
        WHEN state = 'killed' OR uncounted > 0 THEN NULL ELSE true END AS whole,
    nullif(concat_ws('; ',
        CASE state WHEN 'running' THEN 'it goes on'
            WHEN 'killed' THEN 'it was killed: frames after number ' || highest_seq || ' (' || strftime(last_sign, '%Y-%m-%d %H:%M:%S') || ') are not known'
        END,
        CASE WHEN uncounted > 0 THEN 'of ' || uncounted || ' frames only the count was kept, so missing and duplicates may cancel out' END
    ), '') AS unknown,
    coalesce(frames_with_rows, 0) AS frames_with_rows,
    coalesce(frames_without_rows, 0) AS frames_without_rows,
    coalesce(frames_dead, 0) AS frames_dead,
    recv_first,
    recv_last,
    last_sign
FROM judged
ORDER BY venue, recv_first, session
