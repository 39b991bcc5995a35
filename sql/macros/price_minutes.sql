-- price_minutes(length, since, until, named := ''): trade prices in bars of any length, from candles of one minute.
-- Reads klines (interval 1m, price_kind trade) with ts_event in [since, until). Grain: one row per venue, symbol and bar that has
-- a candle. Prices are as quoted. A minute that was still running when it was last seen counts for prices, not for volumes.
-- minutes: how many closed ones there are; volumes are their sums. last_minute: open time of the last candle; last_closed: whether
-- it was closed. A minute that ends after until counts as it was while it ran. named: one instrument (then only its part of the
-- files is read), '' for every contract.
SELECT
    time_bucket(length::INTERVAL, ts_event) AS bar,
    venue, symbol,
    max(instrument) AS instrument, max(base) AS base, max(quote) AS quote, max(settle) AS settle,
    arg_min("open", epoch_ms(ts_event) - (closed IS TRUE)::INTEGER) AS "open",
    max(high) AS high,
    min(low) AS low,
    arg_max("close", epoch_ms(ts_event) + (closed IS TRUE)::INTEGER) AS "close",
    sum(volume_base) FILTER (closed) AS volume_base,
    sum(volume_quote) FILTER (closed) AS volume_quote,
    sum(taker_buy_base) FILTER (closed) AS taker_buy_base,
    sum(trades) FILTER (closed)::BIGINT AS trades,
    count(*) FILTER (closed) AS minutes,
    max(ts_event) AS last_minute,
    max(ts_event) FILTER (closed) IS NOT DISTINCT FROM max(ts_event) AS last_closed,
    max(ts_recv) AS recv_last
FROM klines
WHERE ts_event >= since::TIMESTAMP AND ts_event < until::TIMESTAMP AND "interval" = '1m' AND price_kind = 'trade'
    AND (ts_event <= until::TIMESTAMP - INTERVAL 1 MINUTE OR closed IS NOT TRUE)
    AND (named = '' OR symbol IN (SELECT i.symbol FROM instruments_as_of AS i WHERE i.instrument = named))
GROUP BY time_bucket(length::INTERVAL, ts_event), venue, symbol
