-- liquidation_coverage_by_hour: how much of each hour each venue's liquidations were listened to, and how far its totals can be trusted.
-- Reads feed_coverage, liquidations_1h. Grain: one row per hour (its start, UTC), venue and liquidation channel, of the 30 days
-- before as_of(). coverage_share: share of the hour's minutes that were heard. A minute that an import filled counts as heard; a
-- minute that is SILENT, or before collection began, does not. Of the running hour only minutes up to the last measured one count.
-- suspect_share: share of these minutes that are SUSPECT. saturated_share: of the seconds and contracts with a liquidation, those
-- at the limit of a throttled feed. completeness: the classes in it; null if no liquidation came. lower_bound: more may have
-- happened than was sent. gap_minutes: minutes since collection began that were not heard whole, or were SUSPECT. repaired:
-- whether all of them were filled.
WITH heard AS (
    SELECT hour, venue, channel,
        sum(heard_share(state, connected_share, repaired)) AS minutes_heard, max(minute) AS last_minute,
        count(*) FILTER (state = 'SUSPECT' AND repaired IS NOT TRUE) AS minutes_suspect,
        sum(rows)::BIGINT AS rows, sum(contract_seconds)::BIGINT AS contract_seconds,
        sum(saturated_seconds)::BIGINT AS saturated_seconds, count(*) FILTER (connected_share < 1 OR state <> 'LIVE') AS gap_minutes,
        bool_and(repaired) AS repaired
    FROM feed_coverage
    WHERE minute >= date_trunc('hour', as_of()) - INTERVAL 30 DAYS AND minute <= as_of() AND carries_liquidations
    GROUP BY ALL
), shares AS (
    SELECT *, minutes_heard / minutes AS coverage_share, minutes_suspect / minutes AS suspect_share
    FROM (SELECT *, date_diff('minute', hour, least(
        hour + INTERVAL 1 HOUR, max(last_minute) OVER (PARTITION BY hour) + INTERVAL 1 MINUTE)) AS minutes FROM heard)
), classes AS (
    SELECT hour, venue, string_agg(DISTINCT completeness, ', ' ORDER BY completeness) AS completeness
    FROM liquidations_1h
    WHERE hour >= date_trunc('hour', as_of()) - INTERVAL 30 DAYS AND hour <= as_of()
    GROUP BY ALL
)
SELECT
    h.hour,
    h.venue,
    h.channel,
    c.completeness,
    h.coverage_share,
    h.suspect_share,
    h.saturated_seconds / nullif(h.contract_seconds, 0) AS saturated_share,
    lower_bound(c.completeness, h.coverage_share, h.suspect_share, 0) AS lower_bound,
    h.rows,
    h.contract_seconds,
    h.saturated_seconds,
    h.gap_minutes,
    h.repaired
FROM shares AS h LEFT JOIN classes AS c USING (hour, venue)
ORDER BY h.hour DESC, h.venue, h.channel
