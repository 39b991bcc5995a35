-- session_frames_outcomes_add_up: every frame gave rows, carries nothing, or became a dead letter
-- Failure. Table session_frames. Grain: one session, topic and commit.
SELECT venue, session, kafka_topic, ts_commit, frames, frames_with_rows, frames_without_rows, frames_dead FROM session_frames
WHERE ts_commit >= $since AND ts_commit < $until AND frames <> frames_with_rows + frames_without_rows + frames_dead
