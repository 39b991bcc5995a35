-- levels_at(moment, max_age_hours := 2): the estimated liquidation levels as a map, less what the price had passed by a moment. Estimates.
-- Reads levels_swept. Grain: one row per base, position_side and price bin of the newest column in the max_age_hours before the
-- moment; none in that time: no rows. side_usd, side_qty: sums of the coin and side within 20 % of price_now, the price at the
-- moment; price_then: at ts. age_s and freshness (FRESH or STALE): of the map.
-- Example: FROM levels_at(as_of())
SELECT
    l.ts, l.base, l.position_side, l.bin, any_value(l.price_low) AS price_low, any_value(l.price_high) AS price_high,
    any_value(l.price) AS price, any_value(l.price_now) AS price_now, any_value(l.distance) AS distance,
    sum(l.usd_estimated) AS usd, sum(l.qty_base_estimated) AS qty,
    sum(sum(l.usd_estimated)) FILTER (abs(any_value(l.distance)) <= 0.2) OVER side AS side_usd,
    sum(sum(l.qty_base_estimated)) FILTER (abs(any_value(l.distance)) <= 0.2) OVER side AS side_qty,
    any_value(l.price_then) AS price_then, any_value(l.age_s) AS age_s, any_value(l.freshness) AS freshness
FROM levels_swept(moment, max_age_hours := max_age_hours) AS l
GROUP BY l.ts, l.base, l.position_side, l.bin
WINDOW side AS (PARTITION BY l.base, l.position_side)
