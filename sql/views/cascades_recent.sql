-- cascades_recent: the cascades of the last 7 days, newest first: whose positions, how much, and what the price did.
-- Reads cascades, cascade_rules. Grain: one cascade of one coin (base), over all venues' feeds (scope all), by the rule in use.
-- seconds: from its first liquidation to its last. usd is a lower bound if lower_bound is true: one of the feeds is throttled, or
-- was not heard all the time; usd_complete is the part from complete feeds. Price moves are fractions against the price before:
-- move at its end, move_extreme at the worst, move_1h an hour after the end; null if no price is stored (yet). multiple: the
-- busiest 60 s, in normal minutes of the coin; null if too little is known about what is normal. Other scopes and rules, and the
-- definition: cascades, cascade_rules. Each venue's part: cascade_venues.
SELECT
    ts_start,
    base,
    position_side,
    usd,
    round(epoch_us(ts_end - ts_start) / 1e6, 3) AS seconds,
    multiple,
    side_share,
    count,
    largest_usd,
    peak_second,
    peak_second_usd,
    peak_minute,
    peak_minute_usd,
    market_wide,
    coins_at_once,
    price_before,
    move,
    move_extreme,
    move_1h,
    venues,
    completeness,
    lower_bound,
    list_sum(list_transform(
        list_filter(
            from_json(by_venue, '[{"completeness": "VARCHAR", "usd": "DOUBLE"}]'), lambda part: part.completeness = 'all'),
        lambda part: part.usd)) AS usd_complete,
    coverage_share,
    saturated_share,
    kept_by,
    closed,
    ts_end,
    cascade_id
FROM cascades
WHERE ts_start > as_of() - INTERVAL 7 DAYS AND ts_start <= as_of()
    AND scope = 'all' AND rule_version = (SELECT arg_max(rule_version, since) FROM cascade_rules)
ORDER BY ts_start DESC, base
