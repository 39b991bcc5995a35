-- funding_settled(named, since := ''): the paid rates of one instrument at each venue, summed up.
-- Reads funding_settlements from since on ('': 30 days back; until as_of()), instruments. Grain: one settlement. interval_from: sent (the
-- settlement's or the contract's own interval) or spacing (the shorter distance to the settlement before or after, where that is a
-- day at most and nothing was sent); null where neither. rate_8h, rate_year (simple) as in funding_history; cumulative: sum of the
-- rates since then, as paid.
-- Example: FROM funding_settled('BTC/USDT:USDT', '2026-01-01')
WITH spaced AS (
    SELECT
        h.*,
        least(date_diff('minute', lag(h.ts_event) OVER paid, h.ts_event), date_diff('minute', h.ts_event, lead(h.ts_event) OVER paid)) / 60 AS spacing,
        sum(h.funding_rate) OVER paid AS cumulative
    FROM funding_history AS h
    WHERE h.ts_event >= coalesce(nullif(since::VARCHAR, '')::TIMESTAMP, as_of() - INTERVAL 30 DAYS) AND h.ts_event <= as_of()
        AND h.instrument = named AND known_instrument(named)
    WINDOW paid AS (PARTITION BY h.venue, h.symbol ORDER BY h.ts_event)
), found AS (
    SELECT *, coalesce(interval_hours, CASE WHEN spacing <= 24 THEN spacing END) AS hours FROM spaced
)
SELECT
    f.ts_event, f.venue, f.symbol, f.instrument, f.base, f.funding_rate, f.hours AS interval_hours,
    CASE WHEN f.interval_hours IS NOT NULL THEN 'sent' WHEN f.hours IS NOT NULL THEN 'spacing' END AS interval_from,
    f.funding_rate * 8 / nullif(f.hours, 0) AS rate_8h, f.funding_rate * 8760 / nullif(f.hours, 0) AS rate_year, f.cumulative
FROM found AS f
ORDER BY f.venue, f.symbol, f.ts_event
