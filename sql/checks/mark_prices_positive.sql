-- mark_prices_positive: mark and index price are positive numbers
-- Failure. Table mark_prices. Grain: one row.
SELECT venue, symbol, ts_event, mark_price, index_price FROM mark_prices
WHERE ts >= $since AND ts < $until
    AND NOT list_bool_and([x IS NULL OR (x > 0 AND isfinite(x)) FOR x IN [mark_price, index_price]])
