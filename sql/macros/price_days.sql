-- price_days(since, named := ''): trade prices of every contract by the day (UTC), up to as_of().
-- Reads prices_1d, and price_hours from yesterday on. Grain: one row per venue, symbol and day from the one that contains since
-- on. Prices are as quoted; nulls and minutes as in prices_1d. named: one instrument, '' for every contract.
SELECT
    day, venue, symbol, instrument, base, quote, settle, "open", high, low, "close", volume_base, volume_quote, taker_buy_base,
    trades, minutes, last_minute, closed
FROM prices_1d
WHERE day >= time_bucket(INTERVAL 1 DAY, since::TIMESTAMP) AND day < time_bucket(INTERVAL 1 DAY, as_of()) - INTERVAL 1 DAY
    AND (named = '' OR symbol IN (SELECT i.symbol FROM instruments_as_of AS i WHERE i.instrument = named))
UNION ALL
SELECT
    time_bucket(INTERVAL 1 DAY, hour), venue, symbol, max(instrument), max(base), max(quote), max(settle),
    arg_min("open", hour), max(high), min(low), arg_max("close", hour), sum(volume_base), sum(volume_quote), sum(taker_buy_base),
    sum(trades)::BIGINT, sum(minutes)::BIGINT, max(last_minute),
    arg_max(closed, hour) AND max(last_minute) = time_bucket(INTERVAL 1 DAY, hour) + INTERVAL 1439 MINUTES
FROM price_hours(greatest(time_bucket(INTERVAL 1 DAY, since::TIMESTAMP), time_bucket(INTERVAL 1 DAY, as_of()) - INTERVAL 1 DAY), named)
GROUP BY time_bucket(INTERVAL 1 DAY, hour), venue, symbol
