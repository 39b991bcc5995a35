-- dead_letters_few: of the frames of a channel fewer than one in a hundred cannot be read
-- Warning. Table dead_letters. Grain: one channel.
WITH dead AS (
    SELECT venue, channel, count(DISTINCT (session, seq)) AS frames, any_value(reason) AS reason FROM dead_letters
    WHERE ts_recv >= $since AND ts_recv < $until GROUP BY ALL
), stored AS (
    SELECT venue, channel, count(*) AS frames FROM raw_frames
    WHERE ts_recv >= $since AND ts_recv < $until GROUP BY ALL
)
SELECT d.venue, d.channel, d.frames AS dead, coalesce(s.frames, 0) AS stored, d.reason
FROM dead AS d LEFT JOIN stored AS s USING (venue, channel)
WHERE d.frames > coalesce(s.frames, 0) / 100
