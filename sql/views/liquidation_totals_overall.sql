-- liquidation_totals_overall: USD liquidated over the last 1, 4, 12 and 24 hours, all coins and venues: longs, shorts and both.
-- Reads liquidation_totals_by_venue. Grain: one row per hours (windows inside each other, never to be added). Never show usd
-- without venues: two totals over different venues are not comparable. complete_usd: the part of usd from complete feeds; the rest
-- is a lower bound. unpriced: liquidations without a USD amount, in count but not in usd. venues: those in usd. venues_silent:
-- others that were collected but had none. coverage_share: the lowest of all these venues, null if a venue in usd is not measured.
-- suspect_share: the highest of all these venues. saturated_share: the highest of venues.
SELECT
    hours,
    sum(usd) AS usd,
    sum(long_usd) AS long_usd,
    sum(short_usd) AS short_usd,
    sum(long_usd) / nullif(sum(usd), 0) AS long_share,
    sum(count)::BIGINT AS count,
    sum(long_count)::BIGINT AS long_count,
    sum(short_count)::BIGINT AS short_count,
    max(largest_usd) AS largest_usd,
    sum(unpriced)::BIGINT AS unpriced,
    sum(complete_usd) AS complete_usd,
    classes(completeness) AS completeness,
    lower_bound(
        classes(completeness), CASE WHEN count(coverage_share) = count(*) THEN min(coverage_share) END,
        max(suspect_share), sum(unpriced))
        OR bool_or(lower_bound) AS lower_bound,
    CASE WHEN count(coverage_share) = count(*) THEN min(coverage_share) END AS coverage_share,
    CASE WHEN count(coverage_share) = count(*) THEN max(suspect_share) END AS suspect_share,
    max(saturated_share) AS saturated_share,
    string_agg(venue, ', ' ORDER BY venue) FILTER (count > 0) AS venues,
    string_agg(venue, ', ' ORDER BY venue) FILTER (count = 0) AS venues_silent
FROM liquidation_totals_by_venue
GROUP BY hours
ORDER BY hours
