-- liquidation_clusters: where the newest estimated liquidation levels lie dense, near the price. Estimates, nothing observed.
-- Reads liquidation_map. Grain: one row per cluster: neighbouring price bins of one coin and side, within 20 % of the price, each
-- with at least twice the mean of the side's bins there (threshold_usd). share: of the side's estimated USD within 20 %; distance:
-- from price_now to the nearest edge, negative below; peak_price: its densest bin, the nearer of equals; rank: 1 is the largest of
-- its coin and side. price_now is the price at ts. The score is that of the coin's newest back-test; null: never scored.
WITH bins AS (
    SELECT
        base, position_side, bin, ts, price_low, price_high, price, price_now, distance,
        score_rank_correlation, score_top_decile_mass, score_beats_nulls, score_verdict,
        sum(usd_estimated) AS usd
    FROM liquidation_map WHERE abs(distance) <= 0.2 GROUP BY ALL
), against AS (
    SELECT
        *,
        sum(usd) OVER side AS side_usd,
        2 * sum(usd) OVER side / (max(bin) OVER side - min(bin) OVER side + 1) AS threshold_usd
    FROM bins WINDOW side AS (PARTITION BY base, position_side)
), dense AS (
    SELECT *, bin - row_number() OVER (PARTITION BY base, position_side ORDER BY bin) AS run
    FROM against WHERE usd >= threshold_usd
)
SELECT
    base, position_side,
    min(price_low) AS price_low, max(price_high) AS price_high,
    arg_max(price, (usd, -abs(distance))) AS peak_price,
    sum(usd) AS usd_estimated,
    sum(usd) / any_value(side_usd) AS share,
    count(*) AS bins,
    CASE WHEN position_side = 'long' THEN max(price_high) ELSE min(price_low) END / any_value(price_now) - 1 AS distance,
    any_value(threshold_usd) AS threshold_usd,
    any_value(price_now) AS price_now,
    rank() OVER (PARTITION BY base, position_side ORDER BY sum(usd) DESC) AS rank,
    any_value(ts) AS ts,
    any_value(score_rank_correlation) AS score_rank_correlation,
    any_value(score_top_decile_mass) AS score_top_decile_mass,
    any_value(score_beats_nulls) AS score_beats_nulls,
    any_value(score_verdict) AS score_verdict
FROM dense GROUP BY base, position_side, run
