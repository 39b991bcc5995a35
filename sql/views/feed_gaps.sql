-- feed_gaps: when a feed was not heard, why, for how long, and whether an import has filled it since.
-- Reads feed_coverage. Grain: one row per venue, channel, transport and run of minutes of the 30 days before as_of() that were
-- not heard whole. start, end: of the first and last such minute; missing_s: how much of it was not heard, of the share of
-- contracts where they come by several sockets; reason: that of the first minute; ongoing: the latest minute known is one of
-- them. The first minutes of all, of which a part was before anybody listened, have reason collection began and are a row of
-- their own: what is lost right after them is another gap, with its own reason. A minute that has both tells the loss. A channel
-- unheard for more than seven days has no minutes until it comes back; its gap goes on until then. The latest first, and of one time
-- those of liquidations.
WITH minutes AS (
    SELECT venue, channel, transport, topic, minute, connected_share, gap_reason, repaired,
        lead(minute) OVER feed AS following, lag(connected_share) OVER feed AS share_before,
        lag(gap_reason) OVER feed = 'collection began' AND gap_reason <> 'collection began' AS is_first_loss
    FROM feed_coverage
    WHERE minute > as_of() - INTERVAL 30 DAYS AND minute <= as_of()
    WINDOW feed AS (PARTITION BY venue, channel, transport ORDER BY minute)
), gaps AS (
    SELECT *, sum(CASE WHEN share_before < 1 AND is_first_loss IS NOT TRUE THEN 0 ELSE 1 END) OVER (
        PARTITION BY venue, channel, transport ORDER BY minute ROWS UNBOUNDED PRECEDING) AS number
    FROM minutes WHERE connected_share < 1
)
SELECT
    venue,
    channel,
    transport,
    topic,
    min(minute) AS start,
    max(coalesce(following, minute + INTERVAL 1 MINUTE)) AS end,
    sum((1 - connected_share) * 60 + coalesce(epoch(following - minute) - 60, 0)) AS missing_s,
    arg_min(gap_reason, minute) AS reason,
    bool_and(repaired) AS repaired,
    bool_or(following IS NULL) AS ongoing
FROM gaps
GROUP BY venue, channel, transport, topic, number
ORDER BY start DESC, topic <> 'raw.liquidation', venue, channel, transport
