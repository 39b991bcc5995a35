-- liquidations_times_sane: a live liquidation arrived after it happened, within an hour
-- Warning. Table liquidations. Earlier: one of the clocks is wrong; later: the venue told it late, or the frame waited.
-- Grain: one liquidation.
SELECT venue, symbol, ts_event, ts_recv, ts_recv - ts_event AS delay FROM liquidations
WHERE ts_event >= $since AND ts_event < $until
    AND source = 'live' AND (ts_recv < ts_event - INTERVAL 5 SECONDS OR ts_recv > ts_event + INTERVAL 1 HOUR)
