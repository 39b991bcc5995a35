-- liquidation_max_pain: the price with the most estimated liquidations on each side of the price, swept to now. Estimates.
-- Reads liquidation_map. Grain: one row per base and range: the bins no more than range_pct (5, 10, 20, 50) percent from price_now.
-- Of each side the middle of the bin with the most estimated USD, ties to the nearer price; the long one is below the price, the
-- short one above; null: no level there, or none that the price has not passed since the map. price_now is the price at as_of(),
-- price_then that at ts. freshness: FRESH, or STALE where the map (age_s) or the newest price is older than levels_limits allows. The
-- score is that of the coin's newest back-test; null: never scored.
WITH bins AS (
    SELECT
        base, position_side, bin, ts, price, price_now, distance, freshness, age_s, price_then,
        score_rank_correlation, score_top_decile_mass, score_beats_nulls, score_verdict,
        sum(usd_estimated) AS usd
    FROM liquidation_map GROUP BY ALL
)
SELECT
    base, range_pct,
    arg_max(price, (usd, -abs(distance))) FILTER (position_side = 'long') AS long_price,
    max(usd) FILTER (position_side = 'long') AS long_usd_estimated,
    arg_max(price, (usd, -abs(distance))) FILTER (position_side = 'short') AS short_price,
    max(usd) FILTER (position_side = 'short') AS short_usd_estimated,
    any_value(price_now) AS price_now,
    any_value(freshness) AS freshness,
    any_value(age_s) AS age_s,
    any_value(price_then) AS price_then,
    any_value(ts) AS ts,
    any_value(score_rank_correlation) AS score_rank_correlation,
    any_value(score_top_decile_mass) AS score_top_decile_mass,
    any_value(score_beats_nulls) AS score_beats_nulls,
    any_value(score_verdict) AS score_verdict
FROM bins JOIN (VALUES (5), (10), (20), (50)) AS r(range_pct) ON abs(distance) * 100 <= range_pct
GROUP BY base, range_pct
ORDER BY base, range_pct
