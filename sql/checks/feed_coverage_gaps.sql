-- feed_coverage_gaps: every liquidation feed was listened to
-- Warning. Table feed_coverage. Grain: one channel that has gaps no import has filled; minutes: how much is missing.
SELECT venue, channel, sum(1 - connected_share) AS minutes, min(minute) AS first, max(minute) AS last,
    mode(gap_reason) AS reason
FROM feed_coverage
WHERE minute >= $since AND minute < $until AND topic = 'raw.liquidation' AND connected_share < 1 AND NOT repaired
GROUP BY venue, channel
