-- levels_swept(moment, max_age_hours := 2, by_model := 'shown'): the newest estimated liquidation levels, without those that the price has passed since. Estimates.
-- Reads liquidation_levels, levels_reach, levels_model, level_passed. Grain: one row per base, position_side, leverage and price bin of the
-- newest column in the max_age_hours before the moment. If there is no column in that time, there are no rows. The price clears a
-- bin as in the model: longs' levels from the bin of the lowest price since ts upwards, shorts' levels from that of the highest
-- price downwards. price_now, distance: at the moment; price_then: at ts. age_s, freshness (FRESH or STALE): of the map. Positions
-- opened since ts are not in it. Nothing after the moment is read. by_model: reach, oi, or shown: the one that
-- levels_model shows.
-- Example: FROM levels_swept(as_of())
SELECT
    l.* EXCLUDE (price_now, distance), r.price_then, r.price_now, l.price / r.price_now - 1 AS distance, r.low AS low_since,
    r.high AS high_since, r.price_ts, r.age_s, r.freshness
FROM liquidation_levels AS l JOIN levels_reach(moment, max_age_hours := max_age_hours) AS r ON l.base = r.base AND l.ts = r.ts
LEFT JOIN levels_model(moment) AS d ON l.base = d.base AND d.rank = 1
WHERE l.ts > moment::TIMESTAMP - to_seconds(max_age_hours * 3600) AND l.ts <= moment
    AND coalesce(l.model, 'oi') = coalesce(nullif(by_model, 'shown'), d.model, 'oi')
    AND NOT level_passed(l.position_side, l.price_low, l.price_high, r.low, r.high)
