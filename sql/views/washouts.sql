-- washouts: coins with one side liquidated in the last full hour as hardly ever in 30 days, while open interest fell.
-- Reads signals_at. Grain: one row per base and position_side (the one washed out) of which an ingredient is known at ts, the last
-- full hour (signals_hour). In a burst the USD of throttled feeds is too low; completeness has the classes of the feeds. fired:
-- true if every required condition is known and met; null if it depends on a missing ingredient. missing: these ingredients; known
-- of needed ingredients are known. supporting: how many of the supporting_known further conditions are met. signal_thresholds has
-- the thresholds with their units; here they are JSON. expected: the direction in which the price should go, by the idea behind
-- the signal; signals_outcome shows whether it did.
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
