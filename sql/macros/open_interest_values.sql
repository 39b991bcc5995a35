-- open_interest_values(since, until, named := ''): every value of open interest in a time, in coins and USD, one side.
-- Reads open_interest and mark_prices with ts in [since, until), marks of the hour before, instruments. Grain: one stored value,
-- live or of a venue's history. USD is the venue's own value if it sends one, else coins times the last mark price at most an hour
-- older. If sides is both, the value is already halved. oi_usd is null if no such mark price is known or the quote is no dollar;
-- the same holds for oi_base of contracts counted in USD. named: one instrument, '' for every contract.
WITH marks AS (
    SELECT venue, symbol, ts_event, mark_price FROM mark_prices
    WHERE ts >= since::TIMESTAMP - INTERVAL 1 HOUR AND ts < until::TIMESTAMP AND mark_price IS NOT NULL
        AND (named = '' OR symbol IN (SELECT i.symbol FROM instruments_as_of AS i WHERE i.instrument = named))
)
SELECT
    o.venue, o.symbol, coalesce(o.instrument, i.instrument) AS instrument, coalesce(o.base, i.base) AS base,
    coalesce(o.quote, i.quote) AS quote, coalesce(o.settle, i.settle) AS settle, coalesce(o.contract, i.contract) AS contract,
    o.sides, o.oi_raw, o.oi_unit, o.period, o.ts_event, o.ts_recv,
    CASE WHEN m.ts_event >= o.ts_event - INTERVAL 1 HOUR THEN m.mark_price END AS mark,
    coalesce(o.oi_base, CASE WHEN list_contains(dollars(), coalesce(o.quote, i.quote)) THEN o.oi_usd / nullif(mark, 0) END) AS oi_base,
    coalesce(o.oi_usd, CASE WHEN list_contains(dollars(), coalesce(o.quote, i.quote)) THEN o.oi_base * mark END) AS oi_usd
FROM open_interest AS o
LEFT JOIN instruments_as_of AS i ON o.venue = i.venue AND o.symbol = i.symbol AND i.is_current
ASOF LEFT JOIN marks AS m ON o.venue = m.venue AND o.symbol = m.symbol AND o.ts_event >= m.ts_event
WHERE o.ts >= since::TIMESTAMP AND o.ts < until::TIMESTAMP AND o.ts_event < until::TIMESTAMP
    AND (named = '' OR o.symbol IN (SELECT i.symbol FROM instruments_as_of AS i WHERE i.instrument = named))
