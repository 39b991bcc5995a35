-- prices_1d: trade prices per day (UTC) and contract.
-- Reads prices_1h, klines. Grain: as the table's, in [$since, $until), whole days. From the day's hours; where they have not all
-- minutes and the venue's own closed candle of the day is there, from that one.
WITH hours AS (
    SELECT
        time_bucket(INTERVAL 1 DAY, hour) AS day, venue, symbol,
        max(instrument) AS instrument, max(base) AS base, max(quote) AS quote, max(settle) AS settle,
        arg_min("open", hour) AS "open", max(high) AS high, min(low) AS low, arg_max("close", hour) AS "close",
        fsum(volume_base) AS volume_base, fsum(volume_quote) AS volume_quote, fsum(taker_buy_base) AS taker_buy_base,
        sum(trades)::BIGINT AS trades, sum(minutes)::BIGINT AS minutes, max(last_minute) AS last_minute,
        arg_max(closed, hour) AND max(hour) = time_bucket(INTERVAL 1 DAY, max(hour)) + INTERVAL 23 HOURS AS closed,
        max(recv_last) AS recv_last
    FROM prices_1h
    WHERE hour >= $since AND hour < $until
    GROUP BY ALL
), own AS (
    SELECT * FROM klines
    WHERE ts_event >= $since AND ts_event < $until AND "interval" = '1d' AND price_kind = 'trade' AND closed
    QUALIFY row_number() OVER (PARTITION BY venue, symbol, ts_event ORDER BY ts_recv DESC) = 1
)
SELECT hours.*
FROM hours ANTI JOIN own ON own.venue = hours.venue AND own.symbol = hours.symbol AND own.ts_event = day AND minutes < 1440
UNION ALL BY NAME
SELECT
    ts_event AS day, venue, symbol, instrument, base, quote, settle, "open", high, low, "close", volume_base, volume_quote,
    taker_buy_base, trades, 1440 AS minutes, ts_event + INTERVAL 1439 MINUTES AS last_minute, true AS closed,
    ts_recv AS recv_last
FROM own ANTI JOIN hours ON own.venue = hours.venue AND own.symbol = hours.symbol AND own.ts_event = day AND minutes >= 1440
