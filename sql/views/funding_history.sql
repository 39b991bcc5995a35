-- funding_history: every funding rate that was paid, comparable across intervals.
-- Reads funding_settlements, instruments. Grain: one settlement of one contract. Filter on ts_event. funding_rate: a fraction per
-- interval_hours; positive: longs paid shorts. interval_hours: the settlement's own, else that of the contract as listed at the
-- time; not known before the contract was first listed here. Then rate_8h and rate_year (simple) are null too; the macro
-- funding_settled derives the interval from the spacing.
WITH listed AS (
    SELECT
        s.* REPLACE (
            coalesce(s.instrument, i.instrument) AS instrument, coalesce(s.base, i.base) AS base,
            coalesce(s.quote, i.quote) AS quote, coalesce(s.settle, i.settle) AS settle,
            coalesce(s.interval_hours, CASE WHEN s.ts_event >= i.valid_from THEN i.interval_hours END) AS interval_hours)
    FROM funding_settlements AS s
    ASOF LEFT JOIN instruments_as_of AS i ON s.venue = i.venue AND s.symbol = i.symbol AND s.ts_event >= i.since
)
SELECT
    ts_event, venue, symbol, instrument, base, quote, settle, funding_rate, interval_hours,
    funding_rate * 8 / nullif(interval_hours, 0) AS rate_8h, funding_rate * 8760 / nullif(interval_hours, 0) AS rate_year,
    mark_price, rate_type, source
FROM listed
