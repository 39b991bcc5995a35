-- totals(hours): USD liquidated per coin and venue over the last `hours` hours: longs, shorts and both.
-- Reads liquidations_filled_in, liquidations_1h, liquidation_coverage. Grain: one row per base and venue. hours: any number above
-- 0, such as 0.5 or 168. Up to 24 it is exact to the last commit; a longer window begins with a full hour, and takes the hours
-- more than a day ago from liquidations_1h. Columns as in liquidation_totals_by_coin. since: the start of the window.
-- Example: FROM totals(168)
WITH bounds AS (
    SELECT CASE WHEN hours > 24 THEN date_trunc('hour', as_of() - to_seconds(hours * 3600))
        ELSE as_of() - to_seconds(hours * 3600) END AS since
), parts AS (
    SELECT
        base, venue, position_side, completeness,
        sum(notional_usd) AS usd, count(*) AS count, count(*) - count(notional_usd) AS unpriced, max(notional_usd) AS largest_usd
    FROM liquidations_filled_in
    WHERE ts_event <= as_of()
        AND ts_event > CASE WHEN hours > 24 THEN date_trunc('hour', as_of() - INTERVAL 24 HOURS) - INTERVAL 1 MICROSECOND
            ELSE as_of() - to_seconds(hours * 3600) END
    GROUP BY ALL
    UNION ALL
    SELECT base, venue, position_side, completeness, sum(usd), sum(count), sum(unpriced), max(largest_usd)
    FROM liquidations_1h
    WHERE hours > 24
        AND hour >= date_trunc('hour', as_of() - to_seconds(hours * 3600))
        AND hour < date_trunc('hour', as_of() - INTERVAL 24 HOURS)
    GROUP BY ALL
), totals AS (
    SELECT
        base,
        venue,
        coalesce(sum(usd), 0) AS usd,
        coalesce(sum(usd) FILTER (position_side = 'long'), 0) AS long_usd,
        coalesce(sum(usd) FILTER (position_side = 'short'), 0) AS short_usd,
        sum(count)::BIGINT AS count,
        max(largest_usd) AS largest_usd,
        sum(unpriced)::BIGINT AS unpriced,
        coalesce(sum(usd) FILTER (completeness = 'all'), 0) AS complete_usd,
        classes(completeness) AS completeness
    FROM parts
    GROUP BY base, venue
)
SELECT
    b.since,
    t.base,
    venue,
    usd,
    long_usd,
    short_usd,
    long_usd / nullif(usd, 0) AS long_share,
    count,
    largest_usd,
    unpriced,
    complete_usd,
    completeness,
    lower_bound(completeness, coverage_share, suspect_share, unpriced) AS lower_bound,
    coverage_share,
    suspect_share,
    saturated_share
FROM totals AS t
    CROSS JOIN bounds AS b
    LEFT JOIN liquidation_coverage([
        CASE WHEN hours > 24 THEN date_trunc('hour', as_of() - to_seconds(hours * 3600))
            ELSE as_of() - to_seconds(hours * 3600) END]) AS c USING (venue)
ORDER BY usd DESC
