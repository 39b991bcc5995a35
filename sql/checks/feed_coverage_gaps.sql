-- feed_coverage_gaps: every liquidation feed was listened to, and none was suspect
-- Warning. Table feed_coverage. Grain: one channel that has gaps no import has filled, or was SUSPECT; minutes: how much was not
-- heard; suspect: minutes that are SUSPECT.
SELECT venue, channel, sum(1 - heard_share(state, connected_share, repaired)) AS minutes,
    count(*) FILTER (state = 'SUSPECT') AS suspect, min(minute) AS first, max(minute) AS last,
    mode(coalesce(state_reason, gap_reason)) AS reason
FROM feed_coverage
WHERE minute >= $since AND minute < $until AND carries_liquidations AND (connected_share < 1 OR state <> 'LIVE')
    AND repaired IS NOT TRUE
GROUP BY venue, channel
