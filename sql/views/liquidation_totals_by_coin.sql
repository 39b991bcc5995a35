-- liquidation_totals_by_coin: USD liquidated per coin over the last 1, 4, 12 and 24 hours: longs, shorts and both.
-- Reads liquidation_totals, liquidation_coverage_current. Grain: one row per base and hours (windows inside each other, never to
-- be added). usd: both sides, all venues; complete_usd: the part from complete feeds; the rest is a lower bound. unpriced:
-- liquidations without a USD amount, in count but not in usd. venues: those in usd, that is, with a liquidation of the coin in the
-- window. venues_silent: other venues that were collected; nothing happened there, the coin is not listed, or they were not heard.
-- coverage_share: the lowest of all these venues, null if a venue in usd is not measured. suspect_share: the highest of all these
-- venues. saturated_share: the highest of venues.
WITH feeds AS (
    SELECT hours, list(venue) AS collected, min(coverage_share) AS coverage_share,
        max(suspect_share) AS suspect_share
    FROM liquidation_coverage_current
    GROUP BY hours
), totals AS (
    SELECT
        base,
        hours,
        sum(usd) AS usd,
        coalesce(sum(usd) FILTER (position_side = 'long'), 0) AS long_usd,
        coalesce(sum(usd) FILTER (position_side = 'short'), 0) AS short_usd,
        sum(count)::BIGINT AS count,
        coalesce(sum(count) FILTER (position_side = 'long'), 0)::BIGINT AS long_count,
        coalesce(sum(count) FILTER (position_side = 'short'), 0)::BIGINT AS short_count,
        max(largest_usd) AS largest_usd,
        sum(unpriced)::BIGINT AS unpriced,
        sum(complete_usd) AS complete_usd,
        classes(completeness) AS completeness,
        bool_or(lower_bound) AS any_lower,
        count(coverage_share) = count(*) AS measured,
        max(saturated_share) AS saturated_share,
        list_sort(list(DISTINCT venue)) AS heard
    FROM liquidation_totals
    GROUP BY base, hours
)
SELECT
    base,
    hours,
    usd,
    long_usd,
    short_usd,
    long_usd / nullif(usd, 0) AS long_share,
    count,
    long_count,
    short_count,
    largest_usd,
    unpriced,
    complete_usd,
    completeness,
    lower_bound(completeness, CASE WHEN measured THEN f.coverage_share END, f.suspect_share, unpriced) OR any_lower AS lower_bound,
    CASE WHEN measured THEN f.coverage_share END AS coverage_share,
    CASE WHEN measured THEN f.suspect_share END AS suspect_share,
    saturated_share,
    array_to_string(heard, ', ') AS venues,
    nullif(array_to_string(list_sort(list_filter(collected, lambda v: NOT list_contains(heard, v))), ', '), '') AS venues_silent
FROM totals LEFT JOIN feeds AS f USING (hours)
ORDER BY hours, usd DESC
