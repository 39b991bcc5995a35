-- funding_settlements_keys_unique: a contract settles once at a time
-- Failure. Table funding_settlements. Grain: one key that is there more than once.
SELECT venue, symbol, ts_event, count(*) AS count FROM funding_settlements
WHERE ts_event >= $since AND ts_event < $until
GROUP BY ALL HAVING count(*) > 1
