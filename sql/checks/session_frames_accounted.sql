-- session_frames_accounted: of a session that is over every frame up to its last number known is stored, and once
-- Failure. Table session_frames. Of sessions that ended in the time, or were killed and gave their last sign in it; ingest may need
-- some minutes for the last of them. Numbers that the collector named as dropped are in session_frames_not_dropped. Grain: one session.
SELECT a.venue, a.session, a.state, a.highest_seq, a.frames, a.missing, a.duplicates FROM frames_accounted AS a
WHERE (a.missing > 0 OR a.duplicates > 0) AND (
    a.state = 'killed' AND a.last_sign >= $since AND a.last_sign < $until
    OR a.state = 'ended' AND a.session IN (
        SELECT session FROM collector_events
        WHERE event IN ('disconnected', 'stopped') AND ts >= $since AND ts < $until
    )
)
