-- clusters_at(moment, max_age_hours := 2): where the estimated liquidation levels lay dense at a moment, what the price had passed left out. Estimates.
-- Reads levels_at. Grain: one row per cluster: neighbouring price bins of one coin and side, within 20 % of the price, each with at
-- least twice the mean of the side's bins there (threshold_usd). share: of the side's estimated USD within 20 %; distance: from
-- price_now (the price at the moment; price_then: at ts) to the nearest edge, negative below; peak_price: its densest bin, the nearer
-- of equals; rank: 1 is the largest of its coin and side. age_s and freshness (FRESH or STALE): of the map. Nothing after the moment is
-- read.
-- Example: FROM clusters_at(as_of())
WITH against AS (
    SELECT
        *, 2 * sum(usd) OVER side / (max(bin) OVER side - min(bin) OVER side + 1) AS threshold_usd
    FROM levels_at(moment, max_age_hours := max_age_hours) WHERE abs(distance) <= 0.2
    WINDOW side AS (PARTITION BY base, position_side)
), dense AS (
    SELECT *, bin - row_number() OVER (PARTITION BY base, position_side ORDER BY bin) AS run
    FROM against WHERE usd >= threshold_usd
)
SELECT
    base, position_side, min(price_low) AS price_low, max(price_high) AS price_high,
    arg_max(price, (usd, -abs(distance))) AS peak_price, sum(usd) AS usd_estimated, sum(usd) / any_value(side_usd) AS share,
    count(*) AS bins,
    CASE WHEN position_side = 'long' THEN max(price_high) ELSE min(price_low) END / any_value(price_now) - 1 AS distance,
    any_value(threshold_usd) AS threshold_usd, any_value(price_now) AS price_now,
    rank() OVER (PARTITION BY base, position_side ORDER BY sum(usd) DESC) AS rank, any_value(ts) AS ts,
    any_value(price_then) AS price_then, any_value(age_s) AS age_s, any_value(freshness) AS freshness
FROM dense GROUP BY base, position_side, run
