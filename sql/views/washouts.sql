-- washouts: coins of which one side was liquidated in the last full hour as hardly ever in 30 days, and open interest fell.
-- Reads signals_at. Grain: one row per base and position_side (the one washed out) of which an ingredient is known at ts, the last full
-- hour (signals_hour).
-- USD of throttled feeds is too low in a burst: completeness names the classes. fired is true where every required
-- condition is known and met, null where it hangs on an ingredient that is missing (missing names them; known of needed were there).
-- supporting of supporting_known further conditions are met too. Thresholds with their units: signal_thresholds, here as JSON.
-- expected: where the price should go by the seed text's reasoning; whether it ever did: signals_outcome.
SELECT
    signals_hour() AS ts, s.base, s.position_side, s.fired, s.expected,
    json_extract(s.ingredients, '$.liquidated')::DOUBLE AS liquidated_usd_1h,
    json_extract(s.ingredients, '$.percentile')::DOUBLE AS liquidated_percentile,
    json_extract(s.ingredients, '$.side')::DOUBLE AS liquidated_side_share,
    json_extract(s.ingredients, '$.flush')::DOUBLE AS oi_change_1h,
    json_extract(s.ingredients, '$.move')::DOUBLE AS move_against_1h,
    json_extract(s.ingredients, '$.rsi')::DOUBLE AS rsi_1h,
    s.known, s.needed, s.missing, s.supporting, s.supporting_known, s.conditions, s.price, s.oi_usd,
    s.completeness,
    s.thresholds, s.thresholds_version
FROM signals_at(signals_hour()) AS s
WHERE s.signal = 'washouts'
ORDER BY s.fired DESC NULLS LAST, s.known DESC, s.supporting DESC, s.base, s.position_side
