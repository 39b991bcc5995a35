-- liquidations_have_their_frame: the frame of every live liquidation is stored, byte for byte
-- Failure. Table liquidations. raw_frames keeps frames of raw.liquidation for ever. Those that arrived within a day are
-- sought. Grain: one liquidation.
SELECT venue, symbol, ts_event, ts_recv, kafka_topic, kafka_partition, kafka_offset, session, seq
FROM (
    FROM liquidations WHERE ts_event >= $since AND ts_event < $until AND source = 'live' AND kafka_topic = 'raw.liquidation'
        AND ts_recv >= $since::TIMESTAMP - INTERVAL 1 MINUTE AND ts_recv < $until::TIMESTAMP + INTERVAL 1 DAY
) ANTI JOIN (
    FROM raw_frames
    WHERE ts_recv >= $since::TIMESTAMP - INTERVAL 1 MINUTE AND ts_recv < $until::TIMESTAMP + INTERVAL 1 DAY
        AND kafka_topic = 'raw.liquidation'
) USING (kafka_topic, kafka_partition, kafka_offset, session, seq)
