-- support_resistance: price zones from clusters of estimated liquidations: cleared ones as support or resistance, uncleared ones as magnets.
-- Reads zones_at, signals_current, levels_reach, levels_limits, levels_score. Grain: one row per cluster at ts, the last full hour
-- (signals_hour). kind: support (a cluster of longs below the price, traded through in the last 24 hours), resistance (of shorts
-- above), magnet (not yet reached, of either side). Levels are estimates; realised_usd is what the venues sent as liquidated
-- inside the zone. zones_at has all columns. fired: whether the signal support_resistance of this coin and side fires; it uses the
-- side's largest cleared zone (is_signal). null if it depends on a missing ingredient, or none is known. A magnet has no signal
-- here; see oi_backed_clusters and overheated_longs. known, needed, conditions and thresholds (JSON; units in signal_thresholds)
-- are of that signal. expected: the direction in which the price should go, by the idea behind the signal; signals_outcome shows
-- whether it did. Zones are updated to as_of(): a magnet has only the part that the price has not passed since its map, and is
-- left out if nothing remains; a cleared zone is left out once the price has passed all of it again. share, usd_estimated: of the
-- zone as it was at ts. distance: from price_now, the price at as_of(); price: at ts. map_age_s: of its map. freshness: of the map
-- at ts, by the limits for signals.
WITH reached AS (
    SELECT r.*, (SELECT any_value(value) FROM levels_limits WHERE name = 'signals_stale_after') AS stale_after
    FROM levels_reach(as_of(), max_age_hours := 4, made_by := signals_hour()) AS r
), zones AS (
    SELECT
        z.* EXCLUDE (price_low, price_high), z.price_low AS whole_low, r.price_now,
        CASE WHEN z.state = 'uncleared' AND z.position_side = 'short' THEN greatest(z.price_low, coalesce(r.high, z.price_low)) ELSE z.price_low END AS price_low,
        CASE WHEN z.state = 'uncleared' AND z.position_side = 'long' THEN least(z.price_high, coalesce(r.low, z.price_high)) ELSE z.price_high END AS price_high,
        CASE WHEN r.age_s <= r.stale_after AND date_diff('second', r.price_ts, as_of()) <= r.stale_after THEN 'FRESH' ELSE 'STALE' END AS freshness
    FROM zones_at(signals_hour()) AS z LEFT JOIN reached AS r ON z.base = r.base
    WHERE NOT coalesce(CASE z.position_side WHEN 'long' THEN r.low <= z.price_low ELSE r.high >= z.price_high END, false)
)
SELECT
    signals_hour() AS ts, z.base, z.kind, z.position_side, z.state, z.price_low, z.price_high, z.peak_price,
    CASE
        WHEN z.price_now IS NULL THEN z.distance
        WHEN z.state = 'cleared' THEN CASE z.position_side WHEN 'long' THEN 1 ELSE -1 END * (z.price_now / z.peak_price - 1)
        ELSE CASE z.position_side WHEN 'long' THEN z.price_high ELSE z.price_low END / z.price_now - 1
    END AS distance,
    z.share, z.usd_estimated, z.swept, z.realised_usd, z.realised_count, z.completeness, z.price, z.price_now,
    z.state = 'cleared' AND s.zone_low IS NOT DISTINCT FROM z.whole_low AS is_signal,
    CASE WHEN is_signal THEN s.fired END AS fired, CASE WHEN is_signal THEN s.expected END AS expected,
    s.known, s.needed, s.missing, s.conditions, s.thresholds, s.thresholds_version,
    z.map_ts, date_diff('second', z.map_ts, as_of()) AS map_age_s, z.freshness, coalesce(l.verdict_oi, 'never scored') AS levels_score
FROM zones AS z
LEFT JOIN signals_current AS s ON s.signal = 'support_resistance' AND s.base = z.base AND s.position_side = z.position_side
LEFT JOIN levels_score AS l ON l.base = z.base
ORDER BY z.base, z.price_low DESC, z.state
