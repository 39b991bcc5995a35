-- feed_gaps: when a feed was not heard, or may not have been, why, for how long, and whether an import has filled it since.
-- Reads feed_coverage. Grain: one row per venue, channel, transport and run of minutes of the 30 days before as_of() that were not
-- heard whole, or were SUSPECT, or were SILENT though the feed was connected: each of the three is a row of its own. start, end:
-- of the first and last such minute. missing_s: seconds not heard; if the contracts are split over several sockets, weighted by
-- the share of contracts. reason: that of the first minute. ongoing: the latest known minute is one of them. state: for a
-- liquidation channel, the worst of its minutes. SUSPECT: liquidations may be missing; LIVE: only parts of minutes were not heard.
-- The first minutes of a channel, which began before anybody listened, have reason collection began and are a row of their own; a
-- loss right after them is another gap with its own reason. If a minute has both, the loss is shown. A channel that was not heard
-- for more than seven days has no minutes until it comes back; its gap lasts until then. Sorted by time, the latest first; at the
-- same time, liquidation channels first.
WITH kinds AS (
    SELECT *,
        CASE WHEN connected_share > 0 AND state <> 'LIVE' THEN state WHEN connected_share < 1 THEN 'not heard' END AS kind
    FROM feed_coverage
    WHERE minute > as_of() - INTERVAL 30 DAYS AND minute <= as_of()
), minutes AS (
    SELECT *, lead(minute) OVER feed AS following, lag(kind) OVER feed AS kind_before,
        lag(gap_reason) OVER feed = 'collection began' AND gap_reason <> 'collection began' AS is_first_loss
    FROM kinds
    WINDOW feed AS (PARTITION BY venue, channel, transport ORDER BY minute)
), gaps AS (
    SELECT *, sum(CASE WHEN kind = kind_before AND is_first_loss IS NOT TRUE THEN 0 ELSE 1 END) OVER (
        PARTITION BY venue, channel, transport ORDER BY minute ROWS UNBOUNDED PRECEDING) AS number
    FROM minutes WHERE kind IS NOT NULL
)
SELECT
    venue,
    channel,
    transport,
    topic,
    min(minute) AS start,
    max(coalesce(following, minute + INTERVAL 1 MINUTE)) AS end,
    sum(CASE WHEN kind = 'SILENT' THEN 60 ELSE (1 - connected_share) * 60 END + coalesce(epoch(following - minute) - 60, 0))
        AS missing_s,
    arg_min(CASE WHEN kind = 'not heard' THEN gap_reason ELSE state_reason END, minute) AS reason,
    bool_and(repaired) AS repaired,
    bool_or(following IS NULL) AS ongoing,
    CASE WHEN bool_or(state = 'SILENT') THEN 'SILENT' ELSE max(state) END AS state
FROM gaps
GROUP BY venue, channel, transport, topic, carries_liquidations, number
ORDER BY start DESC, NOT carries_liquidations, venue, channel, transport
