-- open_interest_sane: open interest is a number, never negative
-- Failure. Table open_interest. Grain: one row.
SELECT venue, symbol, ts_event, oi_raw, oi_base, oi_usd FROM open_interest
WHERE ts >= $since AND ts < $until
    AND NOT list_bool_and([x IS NULL OR (x >= 0 AND isfinite(x)) FOR x IN [oi_raw, oi_base, oi_usd]])
