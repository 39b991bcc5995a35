-- liquidation_totals_by_venue: USD liquidated per venue over the last 1, 4, 12 and 24 hours: longs, shorts and both.
-- Reads liquidation_totals, liquidation_coverage_current. Grain: one row per venue and hours (windows inside each other, never to
-- be added), also for a collected venue without liquidations: its usd is 0, and coverage_share says whether it was heard at all.
-- Do not compare venues with different completeness: a throttled feed sends at most one liquidation per second and contract, so
-- its usd is a lower bound. unpriced: liquidations without a USD amount, in count but not in usd. coins: number of different known
-- coins.
WITH totals AS (
    SELECT
        venue,
        hours,
        sum(usd) AS usd,
        sum(usd) FILTER (position_side = 'long') AS long_usd,
        sum(usd) FILTER (position_side = 'short') AS short_usd,
        sum(count) AS count,
        sum(count) FILTER (position_side = 'long') AS long_count,
        sum(count) FILTER (position_side = 'short') AS short_count,
        max(largest_usd) AS largest_usd,
        sum(unpriced) AS unpriced,
        sum(complete_usd) AS complete_usd,
        classes(completeness) AS completeness,
        count(DISTINCT base) AS coins
    FROM liquidation_totals
    GROUP BY venue, hours
)
SELECT
    venue,
    hours,
    coalesce(usd, 0) AS usd,
    coalesce(long_usd, 0) AS long_usd,
    coalesce(short_usd, 0) AS short_usd,
    long_usd / nullif(usd, 0) AS long_share,
    coalesce(count, 0)::BIGINT AS count,
    coalesce(long_count, 0)::BIGINT AS long_count,
    coalesce(short_count, 0)::BIGINT AS short_count,
    largest_usd,
    coalesce(unpriced, 0)::BIGINT AS unpriced,
    coalesce(complete_usd, 0) AS complete_usd,
    coalesce(coins, 0) AS coins,
    completeness,
    lower_bound(completeness, coverage_share, suspect_share, unpriced) AS lower_bound,
    coverage_share,
    suspect_share,
    saturated_share
FROM totals FULL JOIN liquidation_coverage_current USING (venue, hours)
ORDER BY hours, usd DESC, venue
