-- signals_current: every signal of every coin and side at the last full hour; the part of its zone that the price has passed is cut off.
-- Reads signals_at, levels_reach, levels_limits, levels_score. Grain: one row per signal, base and position_side of which a
-- required ingredient is known at ts, the last full hour (signals_hour). Columns as in signals_at, but the part of the zone that
-- the price has passed since the map (at levels_ts) is cut off. If nothing is left (passed), zone_low and zone_high are null and
-- fired is not true. What fired at the hour stays in signals_history. A cleared zone (support_resistance) is passed once the price
-- has gone through all of it again. price: at ts; price_now: at as_of(), null without a map. levels_age_s: of the map. freshness:
-- STALE if the map or the newest price is older than levels_limits allows for signals, else FRESH; null without a map, and for
-- washouts, which use none.
WITH reached AS (
    SELECT r.*, (SELECT any_value(value) FROM levels_limits WHERE name = 'signals_stale_after') AS stale_after
    FROM levels_reach(as_of(), max_age_hours := 4, made_by := signals_hour()) AS r
), swept AS (
    SELECT
        s.*, r.price_now, r.low, r.high, r.age_s, r.price_ts, r.stale_after,
        coalesce(CASE s.position_side WHEN 'long' THEN r.low <= s.zone_low ELSE r.high >= s.zone_high END, false) AS passed
    FROM signals_at(signals_hour()) AS s LEFT JOIN reached AS r ON s.base = r.base
)
SELECT
    signals_hour() AS ts, s.signal, s.base, s.position_side, s.fired AND NOT s.passed AS fired, s.expected, s.passed,
    s.known, s.needed, s.supporting, s.supporting_known, s.missing, s.ingredients, s.thresholds, s.conditions, s.thresholds_version,
    s.price, s.price_now, s.price_venue, s.price_symbol, s.oi_usd,
    CASE WHEN s.passed THEN NULL WHEN s.position_side = 'short' AND s.signal <> 'support_resistance' AND s.high > s.zone_low THEN s.high ELSE s.zone_low END AS zone_low,
    CASE WHEN s.passed THEN NULL WHEN s.position_side = 'long' AND s.signal <> 'support_resistance' AND s.low < s.zone_high THEN s.low ELSE s.zone_high END AS zone_high,
    s.completeness, s.levels_ts, CASE WHEN s.signal <> 'washouts' THEN s.age_s END AS levels_age_s,
    CASE
        WHEN s.signal = 'washouts' OR s.age_s IS NULL THEN NULL
        WHEN s.age_s <= s.stale_after AND date_diff('second', s.price_ts, as_of()) <= s.stale_after THEN 'FRESH'
        ELSE 'STALE'
    END AS freshness,
    coalesce(l.verdict_oi, 'never scored') AS levels_score
FROM swept AS s LEFT JOIN levels_score AS l ON s.base = l.base
ORDER BY s.signal, s.fired DESC NULLS LAST, s.base, s.position_side
