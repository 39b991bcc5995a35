-- open_interest_1h: open interest per hour and contract.
-- Reads open_interest, mark_prices. Grain: as the table's, in [$since, $until), whole hours. Where a live value and one of the
-- venue's history are of one instant, the live one opens or closes the hour. A value may lie in a bucket of the grid that began
-- an hour before it.
SELECT
    time_bucket(INTERVAL 1 HOUR, ts_event) AS hour, venue, symbol,
    max(instrument) AS instrument, max(base) AS base, max(quote) AS quote, max(settle) AS settle, max(contract) AS contract,
    arg_max(sides, rising) AS sides,
    arg_min(oi_base, falling) AS open_base, max(oi_base) AS high_base, min(oi_base) AS low_base,
    arg_max(oi_base, rising) AS close_base,
    arg_min(oi_usd, falling) AS open_usd, max(oi_usd) AS high_usd, min(oi_usd) AS low_usd, arg_max(oi_usd, rising) AS close_usd,
    count(*) AS samples, min(ts_event) AS first_ts, max(ts_event) AS last_ts, max(ts_recv) AS recv_last
FROM (
    SELECT *, 2 * epoch_us(ts_event) + (period IS NULL)::BIGINT AS rising, 2 * epoch_us(ts_event) - (period IS NULL)::BIGINT AS falling
    FROM open_interest_values($since::TIMESTAMP - INTERVAL 1 HOUR, $until) WHERE ts_event >= $since
)
GROUP BY time_bucket(INTERVAL 1 HOUR, ts_event), venue, symbol
