-- price_bars(named, length, since := ''): candles of one instrument at each venue.
-- Reads klines (bars that are not whole hours), prices_1h or prices_1d, and instruments. Grain: one row per venue, symbol and bar
-- from the one that contains since on ('': the last 300, including the running one). length: any interval (5m, 1h, 1 month). Times
-- are UTC, weeks begin on Monday. A bar without a known trade has no row. Prices are in quote per coin (quoted price / multiplier:
-- PEPE, not 1000PEPE); volume_base is in coins; volume_usd is null if the quote is no dollar or the venue sends no turnover.
-- Volumes are of closed minutes. closed: false for the last, running bar, and for a bar whose last minute is missing. minutes: how
-- many closed minutes the bar has, of minutes_due so far. '1M' is a minute, as '1m' is: for a month write '1 month'. A name in
-- another spelling than ours is an error that suggests the right names.
-- Example: FROM price_bars('BTC/USDT:USDT', '4h')
SELECT
    b.bar, b.bar_end, b.venue, b.symbol, c.instrument, c.base, c.quote, c.multiplier,
    b."open" / c.multiplier AS "open", b.high / c.multiplier AS high, b.low / c.multiplier AS low,
    b."close" / c.multiplier AS "close", b.volume_base, b.volume_quote,
    CASE WHEN list_contains(dollars(), c.quote) THEN b.volume_quote END AS volume_usd, b.taker_buy_base, b.trades,
    b.minutes, date_diff('minute', b.bar, least(b.bar_end, time_bucket(INTERVAL 1 MINUTE, as_of()))) AS minutes_due,
    b.last_minute, b.closed
FROM price_bars_since(length::INTERVAL, first_bar(length, since), named) AS b
JOIN instruments_as_of AS c ON b.venue = c.venue AND b.symbol = c.symbol AND c.is_current AND c.instrument = named
WHERE known_instrument(named)
ORDER BY b.venue, b.symbol, b.bar
