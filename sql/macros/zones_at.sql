-- zones_at(moment): clusters of estimated liquidation levels that the last day's price traded through, and those still ahead.
-- Reads clusters_at now and 24 hours before, coin_prices_at, liquidations_complete of the 24 hours. Grain: one row per cluster.
-- state: cleared (of the map of 24 hours before: price reached its densest bin since; kind support for longs' below, resistance for
-- shorts' above) or uncleared (of the newest map; kind magnet, where price may be drawn to). share: of the side's estimated USD
-- within 20 % in its map. distance: uncleared, from the price to the nearest edge; cleared, how far the price has come back from the
-- peak_price, positive: above a long's, below a short's; both fractions. realised_usd, realised_count: liquidated of the side at
-- prices inside it in the 24 hours, by feeds of the classes in completeness, a throttled one telling too little; a bankruptcy price
-- lies a maintenance margin off. swept: share of the cluster's width traded through. Cleared ones need all 24 hours of candles: where
-- they are not there nothing is said to be cleared. Nothing at or after the moment is read but the map made at it.
-- Subject: Signals. Example: FROM zones_at(TIMESTAMP '2026-11-01 12:00:00')
WITH prices AS (
    FROM coin_prices_at(moment)
), told AS (
    SELECT base, position_side, price, notional_usd, completeness
    FROM liquidations_complete
    WHERE ts_event >= moment::TIMESTAMP - INTERVAL 24 HOURS AND ts_event < moment AND price > 0 AND list_contains(dollars(), quote)
), cleared AS (
    SELECT
        c.*, p.price AS price_at,
        CASE c.position_side WHEN 'long' THEN (c.price_high - p.low_24h) ELSE (p.high_24h - c.price_low) END
            / (c.price_high - c.price_low) AS depth
    FROM clusters_at(moment::TIMESTAMP - INTERVAL 24 HOURS) AS c JOIN prices AS p USING (base)
    WHERE p.hours_24h = 24 AND CASE c.position_side WHEN 'long' THEN p.low_24h <= c.peak_price ELSE p.high_24h >= c.peak_price END
), realised AS (
    SELECT
        c.base, c.position_side, c.price_low, coalesce(sum(t.notional_usd), 0) AS usd, count(t.price) AS number,
        string_agg(DISTINCT t.completeness, ', ' ORDER BY t.completeness) AS completeness
    FROM cleared AS c
    LEFT JOIN told AS t ON t.base = c.base AND t.position_side = c.position_side AND t.price >= c.price_low AND t.price < c.price_high
    GROUP BY c.base, c.position_side, c.price_low
)
SELECT
    c.base, c.position_side, CASE c.position_side WHEN 'long' THEN 'support' ELSE 'resistance' END AS kind, 'cleared' AS state,
    c.price_low, c.price_high, c.peak_price, c.share, c.usd_estimated,
    CASE c.position_side WHEN 'long' THEN 1 ELSE -1 END * (c.price_at / c.peak_price - 1) AS distance,
    least(c.depth, 1) AS swept, r.usd AS realised_usd, r.number AS realised_count, r.completeness, c.price_at AS price, c.ts AS map_ts
FROM cleared AS c JOIN realised AS r ON c.base = r.base AND c.position_side = r.position_side AND c.price_low = r.price_low
UNION ALL
SELECT
    c.base, c.position_side, 'magnet', 'uncleared', c.price_low, c.price_high, c.peak_price, c.share, c.usd_estimated,
    c.distance, NULL, NULL, NULL, NULL, coalesce(p.price, c.price_now), c.ts
FROM clusters_at(moment) AS c LEFT JOIN prices AS p USING (base)
