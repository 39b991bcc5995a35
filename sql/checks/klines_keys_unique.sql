-- klines_keys_unique: a candle is stored once
-- Failure. Table klines. Grain: one key that is there more than once.
SELECT venue, symbol, interval, price_kind, ts_event, closed, count(*) AS count FROM klines
WHERE ts_event >= $since AND ts_event < $until AND closed IS NOT NULL
GROUP BY ALL HAVING count(*) > 1
