-- mark_prices_near_their_index: mark and index price are within a quarter of each other
-- Warning. Table mark_prices. Else the multiplier is wrong, or the market is. Grain: one row.
SELECT venue, symbol, ts_event, mark_price, index_price FROM mark_prices
WHERE ts >= $since AND ts < $until
    AND abs(mark_price / nullif(index_price, 0) - 1) > 0.25
