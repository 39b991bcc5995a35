-- levels_swept(moment, max_age_hours := 2): the newest estimated levels, less those that the price has passed since. Estimates.
-- Reads liquidation_levels, levels_reach, level_passed. Grain: one row per base, position_side, leverage and price bin of the newest column in the
-- max_age_hours before the moment; none in that time: no rows. The price clears a bin as it does in the model: longs' from the bin of
-- the least price since ts upwards, shorts' from that of the highest downwards. price_now, distance: at the moment; price_then: at
-- ts; age_s and freshness (FRESH or STALE): of the map. What was opened since ts is not in it. Nothing after the moment is read.
-- Example: FROM levels_swept(as_of())
SELECT
    l.* EXCLUDE (price_now, distance), r.price_then, r.price_now, l.price / r.price_now - 1 AS distance, r.low AS low_since,
    r.high AS high_since, r.price_ts, r.age_s, r.freshness
FROM liquidation_levels AS l JOIN levels_reach(moment, max_age_hours := max_age_hours) AS r ON l.base = r.base AND l.ts = r.ts
WHERE l.ts > moment::TIMESTAMP - to_seconds(max_age_hours * 3600) AND l.ts <= moment
    AND NOT level_passed(l.position_side, l.price_low, l.price_high, r.low, r.high)
