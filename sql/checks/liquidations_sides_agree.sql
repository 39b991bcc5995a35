-- liquidations_sides_agree: the side of the order closes the position: sell closes a long, buy closes a short; or neither is told
-- Failure. Table liquidations. Grain: one liquidation.
SELECT venue, symbol, ts_event, order_side, position_side, kafka_topic, kafka_partition, kafka_offset FROM liquidations
WHERE ts_event >= $since AND ts_event < $until
    AND CASE WHEN order_side IS NULL AND position_side IS NULL THEN null_reason IS NULL
        ELSE coalesce((order_side, position_side) NOT IN (('sell', 'long'), ('buy', 'short')), true) END
