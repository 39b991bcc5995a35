-- session_frames_ends_known: a session that is over told its last number, so that it is known whether all of it is stored
-- Warning. Table session_frames. Of sessions without an end whose last sign was in the time, at least 90 s before as_of(): the process or
-- its machine was killed. unknown says what is not known. Grain: one session.
SELECT venue, session, highest_seq, last_sign, unknown FROM frames_accounted
WHERE state = 'killed' AND last_sign >= $since AND last_sign < $until
