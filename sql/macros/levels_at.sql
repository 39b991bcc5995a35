-- levels_at(moment, max_age_hours := 2): the estimated liquidation levels as a map, as they stood at a moment. Estimates.
-- Reads liquidation_levels. Grain: one row per base, position_side and price bin of the newest column in the max_age_hours before the
-- moment; none in that time: no rows. side_usd, side_qty: sums of the coin and side within 20 % of price_now.
-- Example: FROM levels_at(as_of())
SELECT
    l.ts, l.base, l.position_side, l.bin, any_value(l.price_low) AS price_low, any_value(l.price_high) AS price_high,
    any_value(l.price) AS price, any_value(l.price_now) AS price_now, any_value(l.distance) AS distance,
    sum(l.usd_estimated) AS usd, sum(l.qty_base_estimated) AS qty,
    sum(sum(l.usd_estimated)) FILTER (abs(any_value(l.distance)) <= 0.2) OVER side AS side_usd,
    sum(sum(l.qty_base_estimated)) FILTER (abs(any_value(l.distance)) <= 0.2) OVER side AS side_qty
FROM (
    FROM liquidation_levels AS n
    WHERE n.ts > moment::TIMESTAMP - to_seconds(max_age_hours * 3600) AND n.ts <= moment
    QUALIFY n.ts = max(n.ts) OVER ()
) AS l
GROUP BY l.ts, l.base, l.position_side, l.bin
WINDOW side AS (PARTITION BY l.base, l.position_side)
