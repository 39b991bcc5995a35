-- zones_of(moment, levels_now, levels_before): zones of clusters, cleared and not yet reached; zones_at uses it.
-- Reads coin_prices_at, clusters_of, liquidations_filled_in of the 24 hours, and what levels_now and levels_before name: WITH
-- queries in quotes, levels_at the moment and 24 hours before. Grain: as zones_at. Subject: Signals.
WITH prices AS (
    FROM coin_prices_at(moment)
), told AS (
    SELECT base, position_side, price, notional_usd, completeness
    FROM liquidations_filled_in
    WHERE ts_event >= moment::TIMESTAMP - INTERVAL 24 HOURS AND ts_event < moment AND price > 0 AND list_contains(dollars(), quote)
), cleared AS (
    SELECT
        c.*, p.price AS price_at,
        CASE c.position_side WHEN 'long' THEN (c.price_high - p.low_24h) ELSE (p.high_24h - c.price_low) END
            / (c.price_high - c.price_low) AS depth
    FROM clusters_of(levels_before) AS c JOIN prices AS p USING (base)
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
FROM clusters_of(levels_now) AS c LEFT JOIN prices AS p USING (base)
