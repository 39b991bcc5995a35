-- liquidations_keys_unique: a liquidation is stored once
-- Failure. Table liquidations. Grain: one key that is there more than once.
SELECT ts_event, event_key, occurrence, any_value(venue) AS venue, any_value(symbol) AS symbol, count(*) AS count
FROM liquidations
WHERE ts_event >= $since AND ts_event < $until
GROUP BY ts_event, event_key, occurrence HAVING count(*) > 1
