-- price_hours(since, named := ''): trade prices of every contract by the hour, up to as_of().
-- Reads prices_1h, and klines from the last whole hour on, so that it is exact to the last commit. Grain: one row per venue,
-- symbol and hour from the one that contains since on. Prices are as quoted; nulls and minutes as in prices_1h. named: one
-- instrument, '' for every contract.
SELECT
    hour, venue, symbol, instrument, base, quote, settle, "open", high, low, "close", volume_base, volume_quote, taker_buy_base,
    trades, minutes, last_minute, closed
FROM prices_1h
WHERE hour >= time_bucket(INTERVAL 1 HOUR, since::TIMESTAMP) AND hour < time_bucket(INTERVAL 1 HOUR, as_of()) - INTERVAL 1 HOUR
    AND (named = '' OR symbol IN (SELECT i.symbol FROM instruments_as_of AS i WHERE i.instrument = named))
UNION ALL
SELECT
    m.bar, venue, symbol, instrument, base, quote, settle, "open", high, low, "close", volume_base, volume_quote, taker_buy_base,
    trades, minutes, last_minute, last_closed AND last_minute = m.bar + INTERVAL 59 MINUTES
FROM price_minutes(
    INTERVAL 1 HOUR, greatest(time_bucket(INTERVAL 1 HOUR, since::TIMESTAMP), time_bucket(INTERVAL 1 HOUR, as_of()) - INTERVAL 1 HOUR),
    as_of() + INTERVAL 1 MICROSECOND, named) AS m
