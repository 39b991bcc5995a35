-- clusters_of(levels): dense clusters in a given map of levels; clusters_at uses it.
-- Reads levels, the name of a table or WITH query in quotes, with rows as levels_at returns them. Grain: as clusters_at. Subject:
-- Liquidation levels.
WITH against AS (
    SELECT
        *, 2 * sum(usd) FILTER (abs(distance) <= 0.2) OVER side
            / (max(bin) FILTER (abs(distance) <= 0.2) OVER side - min(bin) FILTER (abs(distance) <= 0.2) OVER side + 1) AS threshold_usd
    FROM query_table(levels)
    WINDOW side AS (PARTITION BY base, position_side)
), dense AS (
    SELECT *, bin - row_number() OVER (PARTITION BY base, position_side ORDER BY bin) AS run
    FROM against WHERE usd >= threshold_usd
)
SELECT
    base, position_side, min(price_low) AS price_low, max(price_high) AS price_high,
    arg_max(price, (usd, -abs(distance))) AS peak_price, sum(usd) AS usd_estimated,
    sum(usd) FILTER (abs(distance) <= 0.2) / any_value(side_usd) AS share,
    count(*) AS bins,
    CASE WHEN position_side = 'long' THEN max(price_high) ELSE min(price_low) END / any_value(price_now) - 1 AS distance,
    any_value(threshold_usd) AS threshold_usd, any_value(price_now) AS price_now,
    rank() OVER (PARTITION BY base, position_side ORDER BY sum(usd) DESC) AS rank, any_value(ts) AS ts,
    any_value(price_then) AS price_then, any_value(age_s) AS age_s, any_value(freshness) AS freshness
FROM dense GROUP BY base, position_side, run HAVING min(abs(dense.distance)) <= 0.2
