-- session_frames_not_dropped: no collector gave frames up
-- Warning. Table collector_events. Of events in the time; `from frame_numbers where fate = 'dropped'` shows which. Grain: one event.
SELECT ts, venue, session, reason, detail FROM collector_events WHERE event = 'dropped' AND ts >= $since AND ts < $until
