-- session_frames_accounted: of a session that has ended every frame is stored, and once
-- Failure. Table session_frames. Of sessions that ended in the time; ingest may need some minutes for the last of them.
-- Grain: one session.
SELECT a.venue, a.session, a.highest_seq, a.frames, a.missing, a.duplicates FROM frames_accounted AS a
SEMI JOIN (
    SELECT session FROM collector_events
    WHERE event IN ('disconnected', 'stopped') AND ts >= $since AND ts < $until
) USING (session)
WHERE NOT a.complete
