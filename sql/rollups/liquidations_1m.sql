-- liquidations_1m: liquidations summed per minute, contract, position side and completeness class.
-- Reads liquidations_filled_in. Grain: as the table's. [$since, $until) is cut to the minutes that were touched.
SELECT
    time_bucket(INTERVAL 1 MINUTE, ts_event) AS minute,
    venue,
    symbol,
    max(instrument) AS instrument,
    max(base) AS base,
    max(quote) AS quote,
    max(settle) AS settle,
    max(contract) AS contract,
    max(kind) AS kind,
    position_side,
    completeness,
    coalesce(fsum(notional_usd), 0) AS usd,
    coalesce(fsum(qty_base), 0) AS qty_base,
    count(*) AS count,
    count(*) - count(notional_usd) AS unpriced,
    max(notional_usd) AS largest_usd,
    count(DISTINCT epoch_ms(ts_event) // 1000) AS seconds
FROM liquidations_filled_in
WHERE ts_event >= $since AND ts_event < $until
GROUP BY ALL
