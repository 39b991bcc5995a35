-- price_bars_since(length, since, named := ''): trade prices of every contract in bars of any length, up to as_of().
-- Reads klines for bars that are not whole hours, price_hours for hours, price_days for days and longer bars; only what since
-- needs. Grain: one row per venue, symbol and bar from the one that contains since on. Prices are as quoted. closed: the bar is
-- over, and its last minute is there and closed.
SELECT
    * EXCLUDE (last_closed), bar + length::INTERVAL AS bar_end,
    bar_end <= as_of() AND last_closed AND last_minute = bar_end - INTERVAL 1 MINUTE AS closed
FROM (
    SELECT m.* EXCLUDE (recv_last)
    FROM price_minutes(length::INTERVAL, time_bucket(length::INTERVAL, since::TIMESTAMP), as_of() + INTERVAL 1 MICROSECOND, named) AS m
    WHERE epoch(length::INTERVAL) % 3600 <> 0
    UNION ALL BY NAME
    SELECT
        time_bucket(length::INTERVAL, h.hour) AS bar, venue, symbol, max(instrument) AS instrument, max(base) AS base,
        max(quote) AS quote, max(settle) AS settle, arg_min("open", h.hour) AS "open", max(high) AS high, min(low) AS low,
        arg_max("close", h.hour) AS "close", sum(volume_base) AS volume_base, sum(volume_quote) AS volume_quote,
        sum(taker_buy_base) AS taker_buy_base, sum(trades)::BIGINT AS trades, sum(minutes)::BIGINT AS minutes,
        max(last_minute) AS last_minute, arg_max(closed, h.hour) AS last_closed
    FROM price_hours(time_bucket(length::INTERVAL, since::TIMESTAMP), named) AS h
    WHERE epoch(length::INTERVAL) % 3600 = 0 AND epoch(length::INTERVAL) % 86400 <> 0
    GROUP BY time_bucket(length::INTERVAL, h.hour), venue, symbol
    UNION ALL BY NAME
    SELECT
        time_bucket(length::INTERVAL, d.day) AS bar, venue, symbol, max(instrument) AS instrument, max(base) AS base,
        max(quote) AS quote, max(settle) AS settle, arg_min("open", d.day) AS "open", max(high) AS high, min(low) AS low,
        arg_max("close", d.day) AS "close", sum(volume_base) AS volume_base, sum(volume_quote) AS volume_quote,
        sum(taker_buy_base) AS taker_buy_base, sum(trades)::BIGINT AS trades, sum(minutes)::BIGINT AS minutes,
        max(last_minute) AS last_minute, arg_max(closed, d.day) AS last_closed
    FROM price_days(time_bucket(length::INTERVAL, since::TIMESTAMP), named) AS d
    WHERE epoch(length::INTERVAL) % 86400 = 0
    GROUP BY time_bucket(length::INTERVAL, d.day), venue, symbol
)
