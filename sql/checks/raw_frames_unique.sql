-- raw_frames_unique: a frame of a session is stored once
-- Failure. Table raw_frames. Grain: one frame that is there more than once.
SELECT session, seq, count(*) AS count FROM raw_frames
WHERE ts_recv >= $since AND ts_recv < $until
GROUP BY ALL HAVING count(*) > 1
