-- prices_1h: trade prices per hour and contract.
-- Reads klines. Grain: as the table's, in [$since, $until), whole hours. From candles of one minute; where not all sixty are
-- there and the venue's own closed candle of the hour is, from that one.
WITH minutes AS (
    FROM price_minutes(INTERVAL 1 HOUR, $since, $until)
), own AS (
    SELECT * FROM klines
    WHERE ts_event >= $since AND ts_event < $until AND "interval" = '1h' AND price_kind = 'trade' AND closed
    QUALIFY row_number() OVER (PARTITION BY venue, symbol, ts_event ORDER BY ts_recv DESC) = 1
)
SELECT
    bar AS hour, venue, symbol, instrument, base, quote, settle, "open", high, low, "close", volume_base, volume_quote,
    taker_buy_base, trades, minutes, last_minute,
    last_closed AND last_minute = bar + INTERVAL 59 MINUTES AS closed, recv_last
FROM minutes ANTI JOIN own ON own.venue = minutes.venue AND own.symbol = minutes.symbol AND own.ts_event = minutes.bar AND minutes < 60
UNION ALL BY NAME
SELECT
    ts_event AS hour, venue, symbol, instrument, base, quote, settle, "open", high, low, "close", volume_base, volume_quote,
    taker_buy_base, trades, 60 AS minutes, ts_event + INTERVAL 59 MINUTES AS last_minute, true AS closed, ts_recv AS recv_last
FROM own ANTI JOIN minutes ON own.venue = minutes.venue AND own.symbol = minutes.symbol AND own.ts_event = bar AND minutes >= 60
