-- open_interest_keys_unique: a bar of open interest is stored once
-- Failure. Table open_interest. Grain: one key that is there more than once.
SELECT venue, symbol, period, ts_event, count(*) AS count FROM open_interest
WHERE ts >= $since AND ts < $until AND period IS NOT NULL
GROUP BY ALL HAVING count(*) > 1
