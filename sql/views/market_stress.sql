-- market_stress: how much stress there is in each coin, and in the whole market, from five parts between 0 and 1.
-- Reads liquidations_filled_in (last hour), liquidations_1h, prices_1h and klines (30 days), open_interest_change,
-- funding_oi_weighted, instruments, liquidation_coverage, market_stress_weights. Grain: one row per base, and one with scope
-- market and base null. score: 0 (calm) to 1, the weighted mean of the known parts. parts: how many of the 5 are known;
-- weight_known: their share of the weight. score is null if that is less than half, because one or two parts of a small coin
-- easily reach 1 and would not compare with a coin of which all are known. The parts: liquidations: share of the clock hours of
-- the 30 days before the last hour with less USD liquidated; hours in which no coin had any are left out, because perhaps nobody
-- listened (at least 168 hours are needed). imbalance: |2 long_share - 1|. oi_flush: open interest in coins that was closed in the
-- last hour, as a share. funding: |rate_8h| weighted by open interest. volatility: share of those clock hours with a smaller price
-- range, of the coin's most traded contract (market: mean of coins, by open interest). The columns beside a part have its input
-- values; liquidation_usd_1h is null if the hour's liquidations have no USD amount. All liquidations are those that the venues
-- sent. completeness lists the classes of the feeds; coverage_share is the lowest and suspect_share the highest of all venues in
-- the hour, null if a venue with a liquidation is not measured. lower_bound: more may have happened in the hour.
WITH hour_now AS (
    SELECT
        base, sum(notional_usd) AS usd, sum(notional_usd) FILTER (position_side = 'long') AS long_usd,
        string_agg(DISTINCT completeness, ', ' ORDER BY completeness) AS completeness, list_sort(list(DISTINCT venue)) AS venues,
        count(*) - count(notional_usd) AS unpriced
    FROM liquidations_filled_in
    WHERE ts_event > as_of() - INTERVAL 1 HOUR AND ts_event <= as_of() AND base IS NOT NULL
    GROUP BY GROUPING SETS ((base), ())
    HAVING count(*) > 0
), hours AS (
    SELECT hour, base, sum(usd) AS usd
    FROM liquidations_1h
    WHERE hour >= as_of() - INTERVAL 30 DAYS AND hour <= as_of() - INTERVAL 2 HOURS AND base IS NOT NULL
    GROUP BY GROUPING SETS ((hour, base), (hour))
), known AS (
    SELECT count(DISTINCT hour) AS hours FROM hours
), ranked AS (
    SELECT
        h.base, coalesce(any_value(n.usd), 0) AS usd,
        1 - count(*) FILTER (h.usd >= coalesce(n.usd, 0)) / any_value(k.hours) AS quieter, any_value(k.hours) AS hours
    FROM hours AS h CROSS JOIN known AS k LEFT JOIN hour_now AS n ON h.base IS NOT DISTINCT FROM n.base
    GROUP BY h.base
), liquidated AS (
    SELECT
        coalesce(r.base, n.base) AS base, CASE WHEN n.completeness IS NULL THEN r.usd ELSE n.usd END AS liquidation_usd,
        CASE
            WHEN r.hours < 168 OR (n.completeness IS NOT NULL AND n.usd IS NULL) THEN NULL
            WHEN coalesce(n.usd, 0) = 0 THEN 0
            ELSE r.quieter
        END AS liquidations,
        coalesce(n.long_usd, CASE WHEN n.usd > 0 THEN 0 END) / nullif(n.usd, 0) AS long_share, n.completeness, n.venues,
        n.unpriced
    FROM ranked AS r FULL JOIN hour_now AS n ON r.base IS NOT DISTINCT FROM n.base
), heard AS (
    SELECT list(venue) AS measured, min(coverage_share) AS lowest, max(suspect_share) AS suspect
    FROM liquidation_coverage([as_of() - INTERVAL 1 HOUR])
), interest AS (
    SELECT
        base, sum(change_usd_positions) / nullif(sum(oi_usd_then), 0) AS oi_change_share, sum(oi_usd) AS oi_usd
    FROM open_interest_change_by_coin
    WHERE hours = 1 AND contracts > 0 AND base IS NOT NULL
    GROUP BY GROUPING SETS ((base), ())
    HAVING count(*) > 0
), paid AS (
    SELECT base, sum(rate_8h * oi_usd) / nullif(sum(oi_usd), 0) AS rate_8h
    FROM funding_oi_weighted
    WHERE contracts > 0 AND base IS NOT NULL
    GROUP BY GROUPING SETS ((base), ())
    HAVING count(*) > 0
), ranges AS (
    SELECT m.venue, m.symbol, any_value(coalesce(m.base, i.base)) AS base, ln(max(m.high) / nullif(min(m.low), 0)) AS range
    FROM price_minutes(INTERVAL 1 HOUR, as_of() - INTERVAL 1 HOUR, as_of() + INTERVAL 1 MICROSECOND) AS m
    LEFT JOIN instruments_as_of AS i ON m.venue = i.venue AND m.symbol = i.symbol AND i.is_current
    WHERE list_contains(dollars(), coalesce(m.quote, i.quote))
    GROUP BY m.venue, m.symbol
), moved AS (
    SELECT
        n.base, n.range AS range_1h, sum(p.volume_quote) AS volume,
        CASE WHEN count(*) >= 168 THEN count(*) FILTER (ln(p.high / nullif(p.low, 0)) < n.range) / count(*) END AS volatility
    FROM ranges AS n
    LEFT JOIN prices_1h AS p ON n.venue = p.venue AND n.symbol = p.symbol
        AND p.hour >= as_of() - INTERVAL 30 DAYS AND p.hour <= as_of() - INTERVAL 2 HOURS
    WHERE n.base IS NOT NULL
    GROUP BY n.base, n.venue, n.symbol, n.range
    QUALIFY row_number() OVER (PARTITION BY n.base ORDER BY volume DESC NULLS LAST, n.venue, n.symbol) = 1
), shaken AS (
    SELECT base, volatility, range_1h FROM moved
    UNION ALL
    SELECT NULL, sum(volatility * oi_usd) FILTER (volatility IS NOT NULL) / nullif(sum(oi_usd) FILTER (volatility IS NOT NULL), 0), NULL
    FROM moved JOIN interest USING (base)
    HAVING count(*) > 0
), measured AS (
    SELECT
        b.base, l.liquidations, abs(2 * l.long_share - 1) AS imbalance, CASE WHEN i.oi_change_share > 0 THEN 0 ELSE -i.oi_change_share END AS oi_flush,
        abs(p.rate_8h) AS funding, s.volatility, l.liquidation_usd AS liquidation_usd_1h, l.long_share AS long_share_1h,
        i.oi_change_share AS oi_change_share_1h, p.rate_8h, s.range_1h, i.oi_usd, l.completeness,
        array_to_string(l.venues, ', ') AS liquidation_venues, l.unpriced,
        CASE WHEN list_has_all(h.measured, coalesce(l.venues, [])) THEN h.lowest END AS coverage_share,
        CASE WHEN list_has_all(h.measured, coalesce(l.venues, [])) THEN h.suspect END AS suspect_share
    FROM (FROM (SELECT base FROM liquidated UNION SELECT base FROM interest UNION SELECT base FROM paid UNION SELECT base FROM shaken)) AS b
    CROSS JOIN heard AS h
    LEFT JOIN liquidated AS l ON b.base IS NOT DISTINCT FROM l.base
    LEFT JOIN interest AS i ON b.base IS NOT DISTINCT FROM i.base
    LEFT JOIN paid AS p ON b.base IS NOT DISTINCT FROM p.base
    LEFT JOIN shaken AS s ON b.base IS NOT DISTINCT FROM s.base
), parts AS (
    SELECT m.base, w.part, w.weight, least(m.value / w.full_at, 1) AS value
    FROM (UNPIVOT measured ON liquidations, imbalance, oi_flush, funding, volatility INTO NAME part VALUE value) AS m
    JOIN market_stress_weights AS w USING (part)
), scored AS (
    SELECT
        base, CASE WHEN round(sum(weight), 6) >= 0.5 THEN sum(value * weight) / sum(weight) END AS score, count(*) AS parts, sum(weight) AS weight_known,
        max(value) FILTER (part = 'liquidations') AS liquidations, max(value) FILTER (part = 'imbalance') AS imbalance,
        max(value) FILTER (part = 'oi_flush') AS oi_flush, max(value) FILTER (part = 'funding') AS funding,
        max(value) FILTER (part = 'volatility') AS volatility
    FROM parts
    GROUP BY base
)
SELECT
    CASE WHEN m.base IS NULL THEN 'market' ELSE 'coin' END AS scope, m.base, s.score, coalesce(s.parts, 0) AS parts,
    coalesce(s.weight_known, 0)::DOUBLE AS weight_known, s.liquidations, s.imbalance, s.oi_flush, s.funding, s.volatility,
    m.liquidation_usd_1h, m.long_share_1h, m.oi_change_share_1h, m.rate_8h, m.range_1h, m.oi_usd, m.completeness,
    m.liquidation_venues, m.coverage_share, m.suspect_share,
    lower_bound(m.completeness, m.coverage_share, m.suspect_share, m.unpriced) AS lower_bound
FROM measured AS m LEFT JOIN scored AS s ON m.base IS NOT DISTINCT FROM s.base
ORDER BY scope DESC, s.score DESC NULLS LAST, s.weight_known DESC NULLS LAST, m.base
