-- signals_history: every signal that fired, as it was known then, and what the price did 1, 4 and 24 hours later.
-- Reads signals, prices_1h. Grain: one row per ts (full hour), signal, base and position_side. Filter on ts. move_*: the price
-- move from price_then (the close of the hour before ts) to the close 1, 4 or 24 hours later, as a fraction, of the contract
-- price_venue, price_symbol; null if a closed candle is missing or the time is not over. seconds_late: how long after ts it was
-- computed; if that is much, rows that arrived late were known too. signals_outcome compares the moves with chance.
WITH closes AS (
    SELECT venue, symbol, hour + INTERVAL 1 HOUR AS at, "close" FROM prices_1h WHERE closed AND hour <= as_of() - INTERVAL 1 HOUR
)
SELECT
    s.ts, s.signal, s.base, s.position_side, s.expected, s.price,
    a."close" / n."close" - 1 AS move_1h, b."close" / n."close" - 1 AS move_4h, c."close" / n."close" - 1 AS move_24h,
    s.supporting, s.supporting_known, s.conditions, s.ingredients, s.thresholds, s.thresholds_version, s.oi_usd, s.zone_low,
    s.zone_high, s.completeness, s.levels_ts, s.price_venue, s.price_symbol, date_diff('second', s.ts, s.computed_ts) AS seconds_late
FROM signals AS s
LEFT JOIN closes AS n ON s.price_venue = n.venue AND s.price_symbol = n.symbol AND n.at = s.ts
LEFT JOIN closes AS a ON s.price_venue = a.venue AND s.price_symbol = a.symbol AND a.at = s.ts + INTERVAL 1 HOUR
LEFT JOIN closes AS b ON s.price_venue = b.venue AND s.price_symbol = b.symbol AND b.at = s.ts + INTERVAL 4 HOURS
LEFT JOIN closes AS c ON s.price_venue = c.venue AND s.price_symbol = c.symbol AND c.at = s.ts + INTERVAL 24 HOURS
WHERE s.ts <= as_of()
ORDER BY s.ts DESC, s.signal, s.base, s.position_side
