-- coin_prices_at(moment): each coin's price at a full hour, its change before, and its RSI, from one contract.
-- Reads prices_1h of the 160 hours before the moment, instruments. Grain: one row per base. The contract: of those quoted in
-- dollars with a closed candle for the last hour, the one with the largest turnover in the 24 hours before. Prices are in quote
-- per coin. move_1h, move_24h: fractions. low_24h, high_24h: of the candles that are there (hours_24h of them). rsi_1h: Wilder's
-- RSI (14) of the closed hours. Null if an hour is missing. Nothing at or after the moment is read. Subject: Signals.
-- Example: FROM coin_prices_at(TIMESTAMP '2026-11-01 12:00:00')
WITH hours AS (
    SELECT
        h.hour AS bar, h.venue, h.symbol, i.instrument, coalesce(h.base, i.base) AS base, '1h' AS "interval",
        h."close" / i.multiplier AS "close", h.high / i.multiplier AS high, h.low / i.multiplier AS low, h.volume_quote, h.closed
    FROM prices_1h AS h
    JOIN instruments_as_of AS i ON h.venue = i.venue AND h.symbol = i.symbol AND i.since <= moment
        AND (i.valid_to IS NULL OR i.valid_to > moment)
    WHERE h.hour >= moment::TIMESTAMP - INTERVAL 160 HOURS AND h.hour < moment AND list_contains(dollars(), i.quote)
), main AS (
    SELECT base, venue, symbol, sum(volume_quote) FILTER (bar >= moment::TIMESTAMP - INTERVAL 24 HOURS) AS turnover
    FROM hours
    WHERE base IS NOT NULL
    GROUP BY base, venue, symbol
    HAVING bool_or(closed AND bar = moment::TIMESTAMP - INTERVAL 1 HOUR)
    QUALIFY row_number() OVER (PARTITION BY base ORDER BY turnover DESC NULLS LAST, venue, symbol) = 1
), series AS (
    SELECT h.* FROM hours AS h SEMI JOIN main AS m ON h.venue = m.venue AND h.symbol = m.symbol WHERE h.closed
), valued AS (
    SELECT base, bar, value FROM rsi_series('series', 14)
)
SELECT
    s.base, any_value(s.venue) AS venue, any_value(s.symbol) AS symbol,
    max(s."close") FILTER (s.bar = moment::TIMESTAMP - INTERVAL 1 HOUR) AS price,
    price / nullif(max(s."close") FILTER (s.bar = moment::TIMESTAMP - INTERVAL 2 HOURS), 0) - 1 AS move_1h,
    price / nullif(max(s."close") FILTER (s.bar = moment::TIMESTAMP - INTERVAL 25 HOURS), 0) - 1 AS move_24h,
    min(s.low) FILTER (s.bar >= moment::TIMESTAMP - INTERVAL 24 HOURS) AS low_24h,
    max(s.high) FILTER (s.bar >= moment::TIMESTAMP - INTERVAL 24 HOURS) AS high_24h,
    count(*) FILTER (s.bar >= moment::TIMESTAMP - INTERVAL 24 HOURS) AS hours_24h,
    max(v.value) FILTER (s.bar = moment::TIMESTAMP - INTERVAL 1 HOUR) AS rsi_1h
FROM series AS s LEFT JOIN valued AS v ON s.base = v.base AND s.bar = v.bar
GROUP BY s.base
