-- liquidations_sides_agree: the side of the order closes the position: sell closes a long, buy closes a short
-- Failure. Table liquidations. Grain: one liquidation.
SELECT venue, symbol, ts_event, order_side, position_side, kafka_topic, kafka_partition, kafka_offset FROM liquidations
WHERE ts_event >= $since AND ts_event < $until
    AND (order_side, position_side) NOT IN (('sell', 'long'), ('buy', 'short'))
