-- signals: every signal of every coin and side at the full hour $hour, fired or not.
-- Reads signals_at. Grain: one row per signal, base and position_side; the table keeps those that fired, signal_hours counts all.
SELECT
    $hour::TIMESTAMP AS ts, signal, base, position_side, expected, fired, known, needed, supporting, supporting_known, ingredients,
    thresholds, conditions, thresholds_version, price, price_venue, price_symbol, oi_usd, zone_low, zone_high, completeness, levels_ts
FROM signals_at($hour::TIMESTAMP)
