-- overheated_longs: coins whose longs pay much to stay in, with a dense cluster of their liquidations just below the price.
-- Reads signals_current. Grain: one row per base (position_side long) of which an ingredient is known at ts,
-- the last full hour (signals_hour).
-- The mirror, shorts that pay, is squeeze_setups. Levels are estimates. fired is true where every required
-- condition is known and met and the price has not passed all of the zone since (passed), null where it hangs on an ingredient that is
-- missing (missing names them; known of needed were there). zone_low, zone_high: of the cluster, what the price has not passed;
-- levels_age_s and freshness (FRESH or STALE): of the map it is from; price: at ts, price_now: at as_of().
-- supporting of supporting_known further conditions are met too. Thresholds with their units: signal_thresholds, here as JSON.
-- expected: where the price should go by the seed text's reasoning; whether it ever did: signals_outcome.
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
WHERE s.signal = 'overheated_longs'
ORDER BY s.fired DESC NULLS LAST, s.known DESC, s.supporting DESC, s.base, s.position_side
