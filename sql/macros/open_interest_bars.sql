-- open_interest_bars(named, length, since := ''): candles of open interest of one instrument at each venue.
-- Reads open_interest_1h for hours, days and longer bars; open_interest with mark_prices for the last two hours and for bars that
-- are not whole hours (5m); only the days from since on ('': the last 300 bars, including the running one). Grain: one row per
-- venue, symbol and bar with a value. Times are UTC, weeks begin on Monday. Each value is one side, in coins and USD (the venue's,
-- else coins x mark price); null if not known. samples: how many values the bar has. closed: false for the running bar. Live
-- values and those of the venue's history count alike; if both have the same time, the live one opens or closes the bar.
-- Example: FROM open_interest_bars('BTC/USDT:USDT', '1d', '2026-01-01')
WITH hours AS (
    SELECT * EXCLUDE (recv_last), 2 * epoch_us(hour) AS rising, 2 * epoch_us(hour) AS falling FROM open_interest_1h
    WHERE epoch(length::INTERVAL) % 3600 = 0 AND hour >= first_bar(length, since)
        AND hour < time_bucket(INTERVAL 1 HOUR, as_of()) - INTERVAL 1 HOUR
        AND symbol IN (SELECT i.symbol FROM instruments_as_of AS i WHERE i.instrument = named)
    UNION ALL BY NAME
    SELECT
        ts_event AS hour, venue, symbol, instrument, base, quote, settle, contract, sides, oi_base AS open_base,
        oi_base AS high_base, oi_base AS low_base, oi_base AS close_base, oi_usd AS open_usd, oi_usd AS high_usd,
        oi_usd AS low_usd, oi_usd AS close_usd, 1 AS samples, ts_event AS first_ts, ts_event AS last_ts,
        2 * epoch_us(ts_event) + (period IS NULL)::BIGINT AS rising, 2 * epoch_us(ts_event) - (period IS NULL)::BIGINT AS falling
    FROM open_interest_values(
        CASE
            WHEN epoch(length::INTERVAL) % 3600 <> 0 THEN first_bar(length, since)
            ELSE greatest(first_bar(length, since), time_bucket(INTERVAL 1 HOUR, as_of()) - INTERVAL 1 HOUR)
        END,
        as_of() + INTERVAL 1 MICROSECOND, named)
)
SELECT
    time_bucket(length::INTERVAL, h.hour) AS bar, h.venue, h.symbol, c.instrument, c.base, c.contract, c.settle,
    arg_max(h.sides, h.rising) AS sides,
    arg_min(h.open_base, h.falling) AS open_base, max(h.high_base) AS high_base, min(h.low_base) AS low_base,
    arg_max(h.close_base, h.rising) AS close_base,
    arg_min(h.open_usd, h.falling) AS open_usd, max(h.high_usd) AS high_usd, min(h.low_usd) AS low_usd,
    arg_max(h.close_usd, h.rising) AS close_usd,
    sum(h.samples)::BIGINT AS samples, min(h.first_ts) AS first_ts, max(h.last_ts) AS last_ts,
    time_bucket(length::INTERVAL, h.hour) + length::INTERVAL <= as_of() AS closed
FROM hours AS h
JOIN instruments_as_of AS c ON h.venue = c.venue AND h.symbol = c.symbol AND c.is_current AND c.instrument = named
WHERE known_instrument(named)
GROUP BY ALL
ORDER BY h.venue, h.symbol, 1
