-- collector_events_known: every event is one that the collectors tell
-- Failure. Table collector_events. Grain: one event.
SELECT ts, venue, session, event FROM collector_events
WHERE ts >= $since AND ts < $until AND event NOT IN (
    'connected', 'started', 'subscribed', 'refused', 'silent', 'resumed', 'rolled_over', 'disconnected', 'stopped',
    'poll_failed', 'poll_stopped', 'notice', 'paused', 'alive', 'clock', 'dropped', 'log_changed', 'suspect', 'heard_again',
    'second_route')
