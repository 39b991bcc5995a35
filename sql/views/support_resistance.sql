-- support_resistance: price zones from clusters of liquidations: cleared ones as support or resistance, uncleared ones as magnets.
-- Reads zones_at, signals_at, levels_score. Grain: one row per cluster at ts, the last full hour (signals_hour). kind support: longs'
-- cluster below that was traded through in 24 hours; resistance: shorts' above; magnet: one still ahead, of either side. Levels
-- are estimates; realised_usd is what feeds told was liquidated inside. All values: zones_at. fired: whether the coin and side's
-- signal support_resistance fires, which stands on its largest cleared zone (is_signal); null where that hangs on an ingredient that
-- is missing, or none is known; a magnet has none of its own, see oi_backed_clusters and overheated_longs. known, needed,
-- conditions and thresholds (JSON; with their units in signal_thresholds) are of that signal. expected: where the price should
-- go by the seed text's reasoning; whether it ever did: signals_outcome.
SELECT
    signals_hour() AS ts, z.base, z.kind, z.position_side, z.state, z.price_low, z.price_high, z.peak_price, z.distance, z.share,
    z.usd_estimated, z.swept, z.realised_usd, z.realised_count, z.completeness, z.price,
    z.state = 'cleared' AND s.zone_low IS NOT DISTINCT FROM z.price_low AS is_signal,
    CASE WHEN is_signal THEN s.fired END AS fired, CASE WHEN is_signal THEN s.expected END AS expected,
    s.known, s.needed, s.missing, s.conditions, s.thresholds, s.thresholds_version,
    z.map_ts, coalesce(l.verdict, 'never scored') AS levels_score
FROM zones_at(signals_hour()) AS z
LEFT JOIN signals_at(signals_hour()) AS s ON s.signal = 'support_resistance' AND s.base = z.base AND s.position_side = z.position_side
LEFT JOIN levels_score AS l ON l.base = z.base
ORDER BY z.base, z.price_low DESC, z.state
