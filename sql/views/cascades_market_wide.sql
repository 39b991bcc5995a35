-- cascades_market_wide: times of the last 30 days when several coins were in a cascade at once; each time is one event.
-- Reads cascades, cascade_rules. Grain: one event, over all venues' feeds (scope all), by the rule in use: market-wide cascades
-- (cascade_rules.market_wide_coins coins or more at one time) that follow each other within cascade_rules.gap_s. coins: sorted by
-- USD, largest first. usd is a lower bound if lower_bound is true. position_side: the side with the most USD; side_share: its
-- share.
WITH rule AS (
    SELECT * FROM cascade_rules WHERE rule_version = (SELECT arg_max(rule_version, since) FROM cascade_rules)
), wide AS (
    SELECT c.*, c.ts_start > max(c.ts_end) OVER before + to_microseconds((r.gap_s * 1e6)::BIGINT) IS NOT FALSE AS opens
    FROM cascades AS c JOIN rule AS r ON c.rule_version = r.rule_version
    WHERE c.ts_start > as_of() - INTERVAL 30 DAYS AND c.ts_start <= as_of() AND c.scope = 'all' AND c.market_wide
    WINDOW before AS (ORDER BY c.ts_start, c.base ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), numbered AS (
    SELECT *, sum(opens::INT) OVER (ORDER BY ts_start, base) AS number FROM wide
), by_coin AS (
    SELECT number, base, sum(usd) AS usd FROM numbered GROUP BY ALL
), coins AS (
    SELECT number, count(*) AS coins, string_agg(base, ', ' ORDER BY usd DESC, base) AS bases FROM by_coin GROUP BY ALL
), events AS (
    SELECT
        number, min(ts_start) AS ts_start, max(ts_end) AS ts_end, sum(usd) AS usd, sum(usd_long) AS usd_long,
        sum(usd_short) AS usd_short, sum(count)::BIGINT AS count, max(largest_usd) AS largest_usd,
        max(coins_at_once) AS coins_at_once, count(*) AS cascades, bool_and(closed) AS closed,
        array_to_string(list_sort(list_distinct(flatten(list(string_split(completeness, ', '))))), ', ') AS completeness,
        array_to_string(list_sort(list_distinct(flatten(list(string_split(venues, ', '))))), ', ') AS venues,
        bool_or(lower_bound) AS lower_bound, avg(coverage_share) AS coverage_share,
        sum(saturated_seconds) / nullif(sum(contract_seconds), 0) AS saturated_share
    FROM numbered GROUP BY number
)
SELECT
    ts_start,
    ts_end,
    coins,
    bases,
    CASE WHEN usd_long >= usd_short THEN 'long' ELSE 'short' END AS position_side,
    greatest(usd_long, usd_short) / nullif(usd_long + usd_short, 0) AS side_share,
    * EXCLUDE (number, ts_start, ts_end, coins, bases)
FROM events JOIN coins USING (number)
ORDER BY ts_start DESC
