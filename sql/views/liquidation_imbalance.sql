-- liquidation_imbalance: how large and how one-sided the last hour's liquidations are for each coin, compared with the last 7 and 30 days.
-- Reads liquidations_filled_in, liquidations_1h, liquidation_coverage. Grain: one row per base and days (7, 30), for coins with a
-- liquidation in the 30 days; base '*' is all coins together. The hour is the 60 minutes before as_of(). It is compared with the
-- whole clock hours before it, back to days ago. hours: how many of those there are, counting hours in which any coin had a
-- liquidation; a coin's hours without any count as 0 USD. usd_z: (usd - mean_usd) / sample standard deviation. usd_percentile:
-- share of those hours with less (0.95: one hour in twenty has as much). long_share: of the hour's USD; long_share_days: of all
-- USD in the days. long_share_z, long_share_percentile: compared with the coin's hours that have liquidations (active_hours), each
-- counting the same. Null if there are fewer than 24 hours to compare with. Liquidations come in bursts: z shows how far from
-- usual the hour is, the percentile shows how rare it is. On throttled feeds usd is capped in a cascade, so usd_z is too low
-- there. completeness, lower_bound, coverage_share (the lowest of all venues), suspect_share, saturated_share (the highest) and
-- venues: of the hour. days_coverage_share: of the days it is compared with; if the two shares differ, a gap looks like a change
-- of the market. unpriced: of the hour, not in usd.
WITH recent AS (
    SELECT
        CASE WHEN grouping(base) = 1 THEN '*' ELSE base END AS coin,
        coalesce(sum(notional_usd), 0) AS usd,
        coalesce(sum(notional_usd) FILTER (position_side = 'long'), 0) AS long_usd,
        count(*) - count(notional_usd) AS unpriced,
        string_agg(DISTINCT completeness, ', ' ORDER BY completeness) AS completeness,
        list_sort(list(DISTINCT venue)) AS venues
    FROM liquidations_filled_in
    WHERE ts_event > as_of() - INTERVAL 1 HOUR AND ts_event <= as_of()
    GROUP BY GROUPING SETS ((base), ())
    HAVING count(*) > 0 AND coin IS NOT NULL
), bars AS (
    SELECT
        CASE WHEN grouping(base) = 1 THEN '*' ELSE base END AS coin,
        hour,
        sum(usd) AS usd,
        coalesce(sum(usd) FILTER (position_side = 'long'), 0) AS long_usd
    FROM liquidations_1h
    WHERE hour >= as_of() - INTERVAL 30 DAYS AND hour <= as_of() - INTERVAL 2 HOURS
    GROUP BY GROUPING SETS ((base, hour), (hour))
    HAVING coin IS NOT NULL
), spans AS (
    SELECT days, count(hour) AS hours
    FROM (VALUES (7), (30)) AS d(days) LEFT JOIN bars ON coin = '*' AND hour >= as_of() - to_days(days)
    GROUP BY days
), compared AS (
    SELECT
        b.coin,
        days,
        hours,
        sum(b.usd) / hours AS mean_usd,
        -- the hours without a bar are 0 USD: sums of squares of both parts, and of the distance between their means
        sqrt((var_pop(b.usd) * count(*) + avg(b.usd) ** 2 * count(*) * (hours - count(*)) / hours) / nullif(hours - 1, 0)) AS sd_usd,
        (count(*) FILTER (b.usd < r.usd) + CASE WHEN any_value(r.usd) > 0 THEN hours - count(*) ELSE 0 END) / hours AS less,
        sum(b.long_usd) / nullif(sum(b.usd), 0) AS long_share_days,
        count(*) FILTER (b.usd > 0) AS active_hours,
        avg(b.long_usd / b.usd) FILTER (b.usd > 0) AS mean_share,
        stddev_samp(b.long_usd / b.usd) FILTER (b.usd > 0) AS sd_share,
        count(*) FILTER (b.usd > 0 AND b.long_usd / b.usd < r.long_usd / nullif(r.usd, 0)) AS lower_shares
    FROM bars AS b JOIN spans ON hour >= as_of() - to_days(days) LEFT JOIN recent AS r ON b.coin = r.coin
    GROUP BY b.coin, days, hours
), heard AS (
    SELECT
        date_diff('day', since, as_of()) AS days,
        list(venue) AS measured,
        min(coverage_share) AS lowest,
        max(suspect_share) AS suspect,
        max(saturated_share) AS highest
    FROM liquidation_coverage([as_of() - INTERVAL 1 HOUR, as_of() - INTERVAL 7 DAYS, as_of() - INTERVAL 30 DAYS])
    GROUP BY since
)
SELECT
    coin AS base,
    s.days,
    coalesce(usd, 0) AS usd,
    coalesce(long_usd, 0) AS long_usd,
    coalesce(usd - long_usd, 0) AS short_usd,
    long_usd / nullif(usd, 0) AS long_share,
    coalesce(unpriced, 0) AS unpriced,
    s.hours,
    coalesce(mean_usd, CASE WHEN s.hours > 0 THEN 0 END) AS mean_usd,
    CASE WHEN s.hours >= 24 THEN (coalesce(usd, 0) - mean_usd) / nullif(sd_usd, 0) END AS usd_z,
    CASE WHEN s.hours >= 24 THEN coalesce(less, CASE WHEN usd > 0 THEN 1 ELSE 0 END) END AS usd_percentile,
    coalesce(active_hours, 0) AS active_hours,
    long_share_days,
    CASE WHEN active_hours >= 24 THEN (long_usd / nullif(usd, 0) - mean_share) / nullif(sd_share, 0) END AS long_share_z,
    CASE WHEN active_hours >= 24 AND usd > 0 THEN lower_shares / active_hours END AS long_share_percentile,
    completeness,
    lower_bound(completeness, CASE WHEN list_has_all(h.measured, coalesce(venues, [])) THEN h.lowest END, h.suspect, unpriced)
        AS lower_bound,
    CASE WHEN list_has_all(h.measured, coalesce(venues, [])) THEN h.lowest END AS coverage_share,
    CASE WHEN list_has_all(h.measured, coalesce(venues, [])) THEN h.suspect END AS suspect_share,
    h.highest AS saturated_share,
    array_to_string(venues, ', ') AS venues,
    d.lowest AS days_coverage_share
FROM (SELECT coin FROM recent UNION SELECT coin FROM bars)
    CROSS JOIN spans AS s
    LEFT JOIN recent USING (coin)
    LEFT JOIN compared AS c USING (coin, days)
    LEFT JOIN heard AS h ON h.days = 0
    LEFT JOIN heard AS d ON d.days = s.days
ORDER BY s.days, usd DESC, base
