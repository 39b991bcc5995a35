-- levels_at(moment, max_age_hours := 2): the estimated liquidation levels as a map, less what the price had passed by a moment. Estimates.
-- Reads liquidation_levels, levels_reach, level_passed. Grain: one row per base, position_side and price bin of the newest column in the max_age_hours before the
-- moment; none in that time: no rows. side_usd, side_qty: sums of the coin and side within 20 % of price_now, the price at the
-- moment; price_then: at ts. age_s and freshness (FRESH or STALE): of the map.
-- Example: FROM levels_at(as_of())
SELECT
    l.ts, l.base, l.position_side, l.bin, any_value(l.price_low) AS price_low, any_value(l.price_high) AS price_high,
    any_value(l.price) AS price, any_value(r.price_now) AS price_now, any_value(l.price) / any_value(r.price_now) - 1 AS distance,
    sum(l.usd_estimated) AS usd, sum(l.qty_base_estimated) AS qty,
    sum(sum(l.usd_estimated)) FILTER (abs(any_value(l.price) / any_value(r.price_now) - 1) <= 0.2) OVER side AS side_usd,
    sum(sum(l.qty_base_estimated)) FILTER (abs(any_value(l.price) / any_value(r.price_now) - 1) <= 0.2) OVER side AS side_qty,
    any_value(r.price_then) AS price_then, any_value(r.age_s) AS age_s, any_value(r.freshness) AS freshness
FROM liquidation_levels AS l JOIN levels_reach(moment, max_age_hours := max_age_hours) AS r ON l.base = r.base AND l.ts = r.ts
WHERE l.ts > moment::TIMESTAMP - to_seconds(max_age_hours * 3600) AND l.ts <= moment
    AND NOT level_passed(l.position_side, l.price_low, l.price_high, r.low, r.high)
GROUP BY l.ts, l.base, l.position_side, l.bin
WINDOW side AS (PARTITION BY l.base, l.position_side)
