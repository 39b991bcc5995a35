-- funding_history: every funding rate that was paid, comparable across intervals.
-- Reads funding_settlements, instruments. Grain: one settlement of one contract; filter on ts_event. funding_rate is a fraction per
-- interval_hours, positive: longs paid shorts. The interval is the settlement's own, else the contract's as listed then; where both
-- are null, rate_8h and rate_year (simple) are, and the macro funding_settled finds it from the spacing.
SELECT
    s.ts_event,
    s.venue,
    s.symbol,
    coalesce(s.instrument, i.instrument) AS instrument,
    coalesce(s.base, i.base) AS base,
    coalesce(s.quote, i.quote) AS quote,
    coalesce(s.settle, i.settle) AS settle,
    s.funding_rate,
    coalesce(s.interval_hours, i.interval_hours) AS interval_hours,
    s.funding_rate * 8 / nullif(coalesce(s.interval_hours, i.interval_hours), 0) AS rate_8h,
    s.funding_rate * 8760 / nullif(coalesce(s.interval_hours, i.interval_hours), 0) AS rate_year,
    s.mark_price,
    s.rate_type,
    s.source
FROM funding_settlements AS s
ASOF LEFT JOIN instruments_as_of AS i ON s.venue = i.venue AND s.symbol = i.symbol AND s.ts_event >= i.since
