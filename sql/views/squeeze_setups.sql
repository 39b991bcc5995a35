-- squeeze_setups: coins whose shorts pay funding, with a dense cluster of their liquidations just above the price.
-- Reads signals_current. Grain: one row per base (position_side short) of which an ingredient is known at ts, the last full hour
-- (signals_hour). overheated_longs is the same for longs that pay. Levels are estimates. fired: true if every required condition
-- is known and met and the price has not passed the whole zone since (passed); null if it depends on a missing ingredient.
-- missing: these ingredients; known of needed ingredients are known. zone_low, zone_high: the part of the cluster that the price
-- has not passed. levels_age_s, freshness (FRESH or STALE): of the cluster's map. price: at ts; price_now: at as_of(). supporting:
-- how many of the supporting_known further conditions are met. signal_thresholds has the thresholds with their units; here they
-- are JSON. expected: the direction in which the price should go, by the idea behind the signal; signals_outcome shows whether it
-- did.
SELECT
    s.ts, s.base, s.position_side, s.fired, s.expected,
    json_extract(s.ingredients, '$.funding')::DOUBLE AS funding_paid_8h,
    json_extract(s.ingredients, '$.cluster_share')::DOUBLE AS cluster_share,
    json_extract(s.ingredients, '$.cluster_distance')::DOUBLE AS cluster_distance,
    json_extract(s.ingredients, '$.rsi')::DOUBLE AS rsi_1h,
    json_extract(s.ingredients, '$.accounts')::DOUBLE AS accounts_share,
    s.known, s.needed, s.missing, s.supporting, s.supporting_known, s.conditions, s.price, s.price_now, s.oi_usd,
    s.zone_low, s.zone_high, s.passed, s.freshness, s.levels_age_s, s.levels_ts, s.levels_score,
    s.thresholds, s.thresholds_version
FROM signals_current AS s
WHERE s.signal = 'squeeze_setups'
ORDER BY s.fired DESC NULLS LAST, s.known DESC, s.supporting DESC, s.base, s.position_side
