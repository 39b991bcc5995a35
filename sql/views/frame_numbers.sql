-- frame_numbers: what became of every frame number of a session: stored, stored more than once, dropped, or missing.
-- Reads session_frames, collector_events. Grain: one row per session and span of consecutive numbers with one fate, from 1 to the
-- highest number known. fate: stored; dropped (the collector dropped the frames and named them, for the reason shown); missing
-- (neither stored nor named; while the session runs this includes frames that are still in Kafka); unknown (some frames of the
-- session were stored before numbers were kept, so it cannot be known). copies: how often each number is stored. recv_before,
-- recv_after: arrival of the stored frames next to the span, null if there are none; for a span of stored frames, of the end of
-- the nearest run.
WITH told AS (
    SELECT session, max(venue) AS venue, max(seq_max) AS highest, sum(frames) FILTER (seq_sum IS NOT NULL) AS uncounted
    FROM session_frames GROUP BY session
    UNION ALL
    SELECT session, max(venue), max(frames), 0 FROM collector_events WHERE venue <> '' GROUP BY session
), sessions AS (
    SELECT session, max(venue) AS venue, max(highest) AS highest, sum(uncounted) > 0 AS is_older FROM told GROUP BY session
), stored AS (
    SELECT session, unnest(runs) AS number, unnest(run_times) AS ts, generate_subscripts(runs, 1) % 2 = 1 AS is_first
    FROM session_frames WHERE runs IS NOT NULL
), dropped AS (
    SELECT session, reason, unnest([run[1] - 1, run[2]]) AS seq, unnest([1, -1]) AS step
    FROM (
        SELECT session, reason, unnest(TRY_CAST(json_extract(detail, '$.runs') AS BIGINT[][])) AS run
        FROM collector_events WHERE event = 'dropped'
    ) WHERE run[1] BETWEEN 1 AND run[2]
), edges AS (
    SELECT session, CASE WHEN is_first THEN number - 1 ELSE number END AS seq, CASE WHEN is_first THEN 1 ELSE -1 END AS stored,
        0 AS dropped, NULL AS reason, ts, false AS is_bound
    FROM stored
    UNION ALL
    SELECT session, seq, 0, step, CASE WHEN step > 0 THEN reason END, NULL, false FROM dropped
    UNION ALL
    SELECT session, unnest([0, highest]), 0, 0, NULL, NULL, true FROM sessions
), points AS (
    SELECT session, seq, sum(stored) AS stored, sum(dropped) AS dropped, max(reason) AS reason,
        CASE WHEN sum(stored) < 0 THEN max(ts) FILTER (stored < 0) END AS ended,
        CASE WHEN sum(stored) > 0 THEN min(ts) FILTER (stored > 0) END AS began
    FROM edges GROUP BY session, seq HAVING sum(stored) <> 0 OR sum(dropped) <> 0 OR bool_or(is_bound)
), spans AS (
    SELECT
        session, seq, lead(seq) OVER numbers AS seq_to, sum(stored) OVER numbers AS copies,
        sum(dropped) OVER numbers AS named, last_value(reason IGNORE NULLS) OVER numbers AS reason,
        last_value(ended IGNORE NULLS) OVER numbers AS recv_before,
        first_value(began IGNORE NULLS) OVER (
            PARTITION BY session ORDER BY seq ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS recv_after
    FROM points WINDOW numbers AS (PARTITION BY session ORDER BY seq)
)
SELECT
    venue,
    session,
    seq + 1 AS seq_from,
    seq_to,
    seq_to - seq AS frames,
    CASE WHEN copies > 1 THEN 'stored more than once' WHEN copies = 1 THEN 'stored' WHEN named > 0 THEN 'dropped'
        WHEN is_older THEN 'unknown' ELSE 'missing' END AS fate,
    copies::BIGINT AS copies,
    CASE WHEN fate = 'dropped' THEN coalesce(reason, '') END AS reason,
    recv_before,
    recv_after
FROM spans JOIN sessions USING (session)
WHERE seq_to > seq
ORDER BY venue, session, seq_from
