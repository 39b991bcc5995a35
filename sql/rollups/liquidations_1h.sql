-- liquidations_1h: liquidations summed per hour (UTC), contract, position side and completeness class.
-- Reads liquidations_1m. Grain: as the table's. [$since, $until) is cut to the hours that were touched.
SELECT
    time_bucket(INTERVAL 1 HOUR, minute) AS hour,
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
    fsum(usd) AS usd,
    fsum(qty_base) AS qty_base,
    sum(count)::BIGINT AS count,
    sum(unpriced)::BIGINT AS unpriced,
    max(largest_usd) AS largest_usd,
    sum(seconds)::BIGINT AS seconds
FROM liquidations_1m
WHERE minute >= $since AND minute < $until
GROUP BY ALL
