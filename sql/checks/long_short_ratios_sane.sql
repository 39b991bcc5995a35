-- long_short_ratios_sane: shares are fractions that sum to one, ratios and volumes are not negative
-- Failure. Table long_short_ratios. Grain: one row. HTX counts accounts that hold both sides apart, so those may sum to less.
SELECT venue, symbol, ts_event, kind, ratio, long_share, short_share, long_volume, short_volume FROM long_short_ratios
WHERE ts_event >= $since AND ts_event < $until
    AND (ratio < 0 OR long_share NOT BETWEEN 0 AND 1 OR short_share NOT BETWEEN 0 AND 1
        OR long_share + short_share > 1.001 OR (long_share + short_share < 0.999 AND kind NOT LIKE '%accounts')
        OR long_volume < 0 OR short_volume < 0)
