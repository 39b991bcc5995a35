-- liquidations_1d: liquidations summed per day (UTC), contract, position side and completeness class.
-- Reads liquidations_1h. Grain: as the table's. [$since, $until) is cut to the days that were touched.
SELECT
    time_bucket(INTERVAL 1 DAY, hour) AS day,
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
FROM liquidations_1h
WHERE hour >= $since AND hour < $until
GROUP BY ALL
