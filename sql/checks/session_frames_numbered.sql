-- session_frames_numbered: every frame that is counted has its number in a run, and the other way round
-- Failure. Table session_frames. Of sessions with frames committed in the time; rows stored before numbers were kept are left out.
-- Grain: one session.
SELECT venue, session, sum(frames)::BIGINT AS frames,
    coalesce(sum(list_sum(runs[2:-:2]) - list_sum(runs[1:-:2]) + len(runs) // 2), 0)::BIGINT AS numbered
FROM session_frames
WHERE seq_sum IS NULL AND session IN (SELECT session FROM session_frames WHERE ts_commit >= $since AND ts_commit < $until)
GROUP BY venue, session
HAVING sum(frames) <> coalesce(sum(list_sum(runs[2:-:2]) - list_sum(runs[1:-:2]) + len(runs) // 2), 0)
