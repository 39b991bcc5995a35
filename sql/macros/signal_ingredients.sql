-- signal_ingredients(moment): the values that the signals use, per coin and side, as they were known at a full hour.
-- Reads coin_prices_at, zones_of, levels_at, funding_paid_at, long_short_ratios, liquidations_1h; each ends at the moment. Grain:
-- one row per base and position_side (the side whose positions would be, or were, liquidated). Null: not known. funding_paid_8h:
-- what the side pays per eight hours; negative if it receives. accounts_share, top_positions_share: the side's share of all
-- accounts, and of the top traders' positions; the mean of the venues' latest values of three hours. cluster_*: the nearest
-- cluster of the side's estimated levels that has the share asked for in signal_thresholds, else the nearest; cluster_share is 0
-- if the map has none; cluster_distance: from the price, always positive. levels_side_share: the side's part of all estimated USD
-- within 20 %. levels_growth_24h: growth of the side's levels there, in coins. liquidated_*: in the hour before the moment;
-- percentile: share of the heard hours of the 30 days before with less, from 168 hours on; side_share: of the coin's liquidated
-- USD. An hour in which no coin had a liquidation counts as not heard. move_against_1h: price move, positive against the side.
-- cleared_*: the largest of the side's cleared zones in zones_at; cleared_share is 0 if all was known and there is none. Estimated
-- levels are not observations. Subject: Signals. Example: FROM signal_ingredients(TIMESTAMP '2026-11-01 12:00:00')
WITH liquidated AS (
    SELECT base, hour, position_side, sum(usd) AS usd, list(DISTINCT completeness) AS classes
    FROM liquidations_1h
    WHERE hour >= moment::TIMESTAMP - INTERVAL 721 HOURS AND hour < moment
    GROUP BY ALL
), heard AS (
    SELECT
        count(DISTINCT hour) FILTER (hour < moment::TIMESTAMP - INTERVAL 1 HOUR) AS hours,
        count(*) FILTER (hour = moment::TIMESTAMP - INTERVAL 1 HOUR) > 0 AS now
    FROM liquidated
), flushed AS (
    SELECT
        base, position_side, coalesce(max(usd) FILTER (hour = moment::TIMESTAMP - INTERVAL 1 HOUR), 0) AS usd_now,
        list(usd) FILTER (hour < moment::TIMESTAMP - INTERVAL 1 HOUR) AS before,
        max(classes) FILTER (hour = moment::TIMESTAMP - INTERVAL 1 HOUR) AS classes
    FROM liquidated WHERE base IS NOT NULL GROUP BY base, position_side
), ratios AS (
    SELECT venue, symbol, kind, coalesce(r.base, i.base) AS coin, arg_max(r.long_share, r.ts_event) AS long_share
    FROM long_short_ratios AS r
    LEFT JOIN (
        SELECT d.venue, d.symbol, d.base FROM instruments_as_of AS d WHERE d.since <= moment AND (d.valid_to IS NULL OR d.valid_to > moment)
    ) AS i USING (venue, symbol)
    WHERE r.ts_event >= moment::TIMESTAMP - INTERVAL 3 HOURS AND r.ts_event < moment AND r.kind IN ('global_accounts', 'top_positions')
        AND coalesce(r.ts_event + try_cast(r.period AS INTERVAL) <= moment, true)
    GROUP BY venue, symbol, kind, coalesce(r.base, i.base)
), leaning AS (
    SELECT
        coin AS base, avg(long_share) FILTER (kind = 'global_accounts') AS accounts, avg(long_share) FILTER (kind = 'top_positions') AS top
    FROM (SELECT coin, kind, venue, avg(long_share) AS long_share FROM ratios GROUP BY ALL)
    GROUP BY coin
), bins_now AS MATERIALIZED (
    FROM levels_at(moment, by_model := 'oi')
), bins_before AS MATERIALIZED (
    FROM levels_at(moment::TIMESTAMP - INTERVAL 24 HOURS, by_model := 'oi')
), levels AS (
    SELECT base, position_side, any_value(side_usd) AS usd, any_value(side_qty) AS qty, any_value(ts) AS ts FROM bins_now GROUP BY ALL
), levels_before AS (
    SELECT base, position_side, any_value(side_qty) AS qty FROM bins_before GROUP BY ALL
), zones AS (
    FROM zones_of(moment, 'bins_now', 'bins_before')
), ahead AS (
    SELECT * FROM zones WHERE state = 'uncleared'
    QUALIFY row_number() OVER (
        PARTITION BY base, position_side
        ORDER BY share >= (SELECT min(value) FROM signal_thresholds WHERE ingredient = 'cluster_share') DESC, abs(distance)) = 1
), behind AS (
    SELECT * FROM zones WHERE state = 'cleared'
    QUALIFY row_number() OVER (PARTITION BY base, position_side ORDER BY share DESC, abs(distance)) = 1
), prices AS (
    FROM coin_prices_at(moment)
), paid AS (
    FROM funding_paid_at(moment)
), coins AS (
    SELECT base, s.position_side, CASE s.position_side WHEN 'long' THEN 1 ELSE -1 END AS d
    FROM (
        SELECT base FROM prices UNION SELECT base FROM paid UNION SELECT base FROM levels UNION SELECT base FROM leaning
        UNION SELECT base FROM flushed
    ) CROSS JOIN (VALUES ('long'), ('short')) AS s(position_side)
    WHERE base IS NOT NULL
)
SELECT
    c.base, c.position_side, p.price, p.venue AS price_venue, p.symbol AS price_symbol, f.oi_usd,
    c.d * f.rate_8h AS funding_paid_8h,
    p.rsi_1h,
    CASE c.d WHEN 1 THEN r.accounts ELSE 1 - r.accounts END AS accounts_share,
    CASE c.d WHEN 1 THEN r.top ELSE 1 - r.top END AS top_positions_share,
    f.oi_change_1h, f.oi_change_24h,
    abs(a.distance) AS cluster_distance,
    coalesce(a.share, CASE WHEN l.usd IS NOT NULL THEN 0 END) AS cluster_share,
    l.usd / nullif(l.usd + coalesce(o.usd, 0), 0) AS levels_side_share,
    l.qty / nullif(b.qty, 0) - 1 AS levels_growth_24h,
    CASE WHEN h.now THEN coalesce(q.usd_now, 0) END AS liquidated_usd_1h,
    CASE WHEN h.now AND h.hours >= 168 THEN CASE WHEN coalesce(q.usd_now, 0) = 0 THEN 0 ELSE
        (len(list_filter(coalesce(q.before, []), lambda u: u < q.usd_now)) + h.hours - len(coalesce(q.before, []))) / h.hours END
    END AS liquidated_percentile,
    CASE WHEN h.now THEN coalesce(q.usd_now, 0) / nullif(coalesce(q.usd_now, 0) + coalesce(e.usd_now, 0), 0) END AS liquidated_side_share,
    -c.d * p.move_1h AS move_against_1h,
    coalesce(z.share, CASE WHEN b.qty IS NOT NULL AND p.hours_24h = 24 THEN 0 END) AS cleared_share,
    z.distance AS cleared_distance,
    z.realised_usd AS cleared_realised_usd,
    a.price_low AS cluster_low, a.price_high AS cluster_high, z.price_low AS cleared_low, z.price_high AS cleared_high,
    array_to_string(list_sort(q.classes), ', ') AS completeness, l.ts AS levels_ts
FROM coins AS c
CROSS JOIN heard AS h
LEFT JOIN prices AS p ON c.base = p.base
LEFT JOIN paid AS f ON c.base = f.base
LEFT JOIN leaning AS r ON c.base = r.base
LEFT JOIN levels AS l ON c.base = l.base AND c.position_side = l.position_side
LEFT JOIN levels AS o ON c.base = o.base AND c.position_side <> o.position_side
LEFT JOIN levels_before AS b ON c.base = b.base AND c.position_side = b.position_side
LEFT JOIN ahead AS a ON c.base = a.base AND c.position_side = a.position_side
LEFT JOIN behind AS z ON c.base = z.base AND c.position_side = z.position_side
LEFT JOIN flushed AS q ON c.base = q.base AND c.position_side = q.position_side
LEFT JOIN flushed AS e ON c.base = e.base AND c.position_side <> e.position_side
