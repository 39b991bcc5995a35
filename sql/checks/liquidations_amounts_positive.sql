-- liquidations_amounts_positive: every amount and price that is known is a positive number
-- Failure. Table liquidations. Grain: one liquidation.
SELECT venue, symbol, ts_event, qty_raw, qty_base, notional_usd, price_raw, price, kafka_topic, kafka_partition, kafka_offset
FROM liquidations
WHERE ts_event >= $since AND ts_event < $until
    AND NOT list_bool_and([x IS NULL OR (x > 0 AND isfinite(x)) FOR x IN [qty_raw, qty_base, notional_usd, price_raw, price]])
