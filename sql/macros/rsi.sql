-- rsi(named, length, n := 14, bars := 500): Wilder's RSI of one instrument's bars at each venue.
-- Reads what price_bars reads. Grain: one row per venue, symbol and bar of the last `bars` ones, including the running one.
-- length: any interval. rsi: 0 to 100, null for the first n bars; 100 if the price did not fall at all, 50 if it did not move.
-- settled: at least 10 n bars came before it, so that the start of the series no longer matters (if not, ask for more bars).
-- closed: false for the running bar, whose rsi still changes.
-- Example: FROM rsi('BTC/USDT:USDT', '4h')
WITH series AS (
    SELECT b.bar, b.bar_end, b.venue, b.symbol, b.instrument, b.base, length::VARCHAR AS "interval", b."close", b.closed
    FROM price_bars(named, length, first_bar(length, '', bars)) AS b
)
SELECT s.bar, s.bar_end, s.venue, s.symbol, s.instrument, s.base, s."close", s.closed, s.value AS rsi, s.changes, s.settled
FROM rsi_series('series', n) AS s
ORDER BY s.venue, s.symbol, s.bar
