-- levels_at(moment, max_age_hours := 2, by_model := 'shown'): the estimated liquidation levels at a moment as a map, without what the price had passed. Estimates.
-- Reads liquidation_levels, levels_reach, levels_model, level_passed. Grain: one row per base, position_side and price bin of the newest column
-- in the max_age_hours before the moment. If there is no column in that time, there are no rows. side_usd, side_qty: sums of the
-- coin and side within 20 % of price_now, the price at the moment; price_then: the price at ts. age_s, freshness (FRESH or STALE):
-- of the map. by_model: reach, oi, or shown: the one that levels_model shows.
-- Example: FROM levels_at(as_of())
SELECT
    l.ts, l.base, l.position_side, l.bin, any_value(l.price_low) AS price_low, any_value(l.price_high) AS price_high,
    any_value(l.price) AS price, any_value(r.price_now) AS price_now, any_value(l.price) / any_value(r.price_now) - 1 AS distance,
    sum(l.usd_estimated) AS usd, sum(l.qty_base_estimated) AS qty,
    sum(sum(l.usd_estimated)) FILTER (abs(any_value(l.price) / any_value(r.price_now) - 1) <= 0.2) OVER side AS side_usd,
    sum(sum(l.qty_base_estimated)) FILTER (abs(any_value(l.price) / any_value(r.price_now) - 1) <= 0.2) OVER side AS side_qty,
    any_value(r.price_then) AS price_then, any_value(r.age_s) AS age_s, any_value(r.freshness) AS freshness
FROM liquidation_levels AS l JOIN levels_reach(moment, max_age_hours := max_age_hours) AS r ON l.base = r.base AND l.ts = r.ts
LEFT JOIN levels_model(moment) AS d ON l.base = d.base AND d.rank = 1
WHERE l.ts > moment::TIMESTAMP - to_seconds(max_age_hours * 3600) AND l.ts <= moment
    AND coalesce(l.model, 'oi') = coalesce(nullif(by_model, 'shown'), d.model, 'oi')
    AND NOT level_passed(l.position_side, l.price_low, l.price_high, r.low, r.high)
GROUP BY l.ts, l.base, l.position_side, l.bin
WINDOW side AS (PARTITION BY l.base, l.position_side)
