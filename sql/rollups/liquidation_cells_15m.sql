-- liquidation_cells_15m: liquidations summed per quarter of an hour, step of price, contract, side and feed.
-- Reads liquidations_filled_in. Grain: as the table's. [$since, $until) is cut to the quarters that were touched.
SELECT
    time_bucket(INTERVAL 15 MINUTES, ts_event) AS bin_start,
    venue,
    symbol,
    max(instrument) AS instrument,
    max(base) AS base,
    position_side,
    completeness,
    price_kind,
    CASE WHEN price > 0 THEN 10 ** floor(log10(0.002 * price)) END AS price_step,
    round(floor(round(price / price_step, 6)) * price_step, 12) AS price_low, -- rounded as in the macro heatmap
    max(price) AS price_max,
    coalesce(fsum(notional_usd), 0) AS usd,
    count(*) AS count,
    count(*) - count(notional_usd) AS unpriced,
    max(notional_usd) AS largest_usd
FROM liquidations_filled_in
WHERE ts_event >= $since AND ts_event < $until
GROUP BY ALL
