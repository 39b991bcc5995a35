-- liquidations_plausible: no liquidation is larger than a market is; `liq reprocess` makes dead letters of those stored before
-- Failure. Table liquidations. Grain: one liquidation. The bounds are those of pipelines/venues/bounds.py.
SELECT venue, symbol, ts_event, qty_raw, qty_base, notional_usd, price_raw, kafka_topic, kafka_partition, kafka_offset
FROM liquidations
WHERE ts_event >= $since AND ts_event < $until
    AND (notional_usd > 1e+11 OR qty_base > 1e+18 OR qty_raw NOT BETWEEN 1e-15 AND 1e+18
        OR price_raw NOT BETWEEN 1e-15 AND 1e+12 OR length(symbol) NOT BETWEEN 1 AND 128
        OR regexp_matches(symbol, '[\x00-\x1f\x7f-\x9f]'))
