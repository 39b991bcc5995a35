-- liquidations_aggregated_sane: sums that vendors gave are not negative, and of one unit
-- Failure. Table liquidations_aggregated. Grain: one row.
SELECT venue, provider, symbol, ts_event, long_usd, short_usd, long_base, short_base FROM liquidations_aggregated
WHERE ts_event >= $since AND ts_event < $until
    AND (least(long_usd, short_usd, long_base, short_base) < 0 OR (long_usd IS NULL) = (long_base IS NULL)
        OR (short_usd IS NULL) = (short_base IS NULL))
