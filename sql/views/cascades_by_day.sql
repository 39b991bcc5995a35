-- cascades_by_day: how many cascades each coin had per day over the last 30 days, how large and how long.
-- Reads cascades, cascade_rules. Grain: one row per day (UTC, of ts_start), scope, base and position_side, by the rule in use. A
-- day without cascades has no row. scope: all venues' feeds (all), or complete feeds only (complete); never add the two, and
-- compare days within one scope. usd is a lower bound if lower_bound is true for any of the cascades. market_wide: how many
-- happened while at least cascade_rules.market_wide_coins coins were in a cascade. mean_move_1h: mean of the known moves;
-- known_move_1h: how many are known.
SELECT
    date_trunc('day', ts_start) AS day,
    scope,
    base,
    position_side,
    count(*) AS cascades,
    sum(usd) AS usd,
    max(usd) AS largest_cascade_usd,
    sum(count)::BIGINT AS liquidations,
    round(max(epoch_us(ts_end - ts_start)) / 1e6, 3) AS longest_seconds,
    max(peak_minute_usd) AS peak_minute_usd,
    count(*) FILTER (market_wide) AS market_wide,
    avg(move_1h) AS mean_move_1h,
    count(move_1h) AS known_move_1h,
    array_to_string(list_sort(list_distinct(flatten(list(string_split(completeness, ', '))))), ', ') AS completeness,
    bool_or(lower_bound) AS lower_bound,
    avg(coverage_share) AS coverage_share,
    sum(saturated_seconds) / nullif(sum(contract_seconds), 0) AS saturated_share
FROM cascades
WHERE ts_start > as_of() - INTERVAL 30 DAYS AND ts_start <= as_of()
    AND rule_version = (SELECT arg_max(rule_version, since) FROM cascade_rules)
GROUP BY ALL
ORDER BY day DESC, scope, usd DESC
