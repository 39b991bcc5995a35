-- overheated_longs: coins whose longs pay much to stay in, with a dense cluster of their liquidations just below the price.
-- Reads signals_at, levels_score. Grain: one row per base (position_side long) of which an ingredient is known at ts,
-- the last full hour (signals_hour).
-- The mirror, shorts that pay, is squeeze_setups. Levels are estimates. fired is true where every required
-- condition is known and met, null where it hangs on an ingredient that is missing (missing names them; known of needed were there).
-- supporting of supporting_known further conditions are met too. Thresholds with their units: signal_thresholds, here as JSON.
-- expected: where the price should go by the seed text's reasoning; whether it ever did: signals_outcome.
SELECT
    signals_hour() AS ts, s.base, s.position_side, s.fired, s.expected,
    json_extract(s.ingredients, '$.funding')::DOUBLE AS funding_paid_8h,
    json_extract(s.ingredients, '$.cluster_share')::DOUBLE AS cluster_share,
    json_extract(s.ingredients, '$.cluster_distance')::DOUBLE AS cluster_distance,
    json_extract(s.ingredients, '$.rsi')::DOUBLE AS rsi_1h,
    json_extract(s.ingredients, '$.accounts')::DOUBLE AS accounts_share,
    s.known, s.needed, s.missing, s.supporting, s.supporting_known, s.conditions, s.price, s.oi_usd,
    s.zone_low, s.zone_high, s.levels_ts, coalesce(l.verdict, 'never scored') AS levels_score,
    s.thresholds, s.thresholds_version
FROM signals_at(signals_hour()) AS s
LEFT JOIN levels_score AS l ON s.base = l.base
WHERE s.signal = 'overheated_longs'
ORDER BY s.fired DESC NULLS LAST, s.known DESC, s.supporting DESC, s.base, s.position_side
