-- funding_settled(named, since := ''): the paid funding rates of one instrument at each venue, and their sum.
-- Reads funding_settlements from since on ('': 30 days back; until as_of()), instruments. Grain: one settlement. interval_hours:
-- the distance to the settlement before, if that is at most eight hours and equals the distance after it or the one before it
-- (spacing; for the first settlement, the next two distances): a contract's interval may change between two readings of its list.
-- Else the interval of funding_history, the settlement's own or as listed at the time (sent). Else the shorter distance to the
-- settlement before or after, at most a day (spacing). Else null. rate_8h, rate_year (simple) as in funding_history. cumulative:
-- sum of the rates since then, as paid.
-- Example: FROM funding_settled('BTC/USDT:USDT', '2026-01-01')
WITH spaced AS (
    SELECT
        h.*,
        date_diff('minute', lag(h.ts_event) OVER paid, h.ts_event) / 60 AS before,
        date_diff('minute', h.ts_event, lead(h.ts_event) OVER paid) / 60 AS after,
        sum(h.funding_rate) OVER paid AS cumulative
    FROM funding_history AS h
    WHERE h.ts_event >= coalesce(nullif(since::VARCHAR, '')::TIMESTAMP, as_of() - INTERVAL 30 DAYS) AND h.ts_event <= as_of()
        AND h.instrument = named AND known_instrument(named)
    WINDOW paid AS (PARTITION BY h.venue, h.symbol ORDER BY h.ts_event)
), regular AS (
    SELECT
        *,
        CASE
            WHEN before <= 8 AND (before = after OR before = lag(before) OVER paid) THEN before
            WHEN before IS NULL AND after <= 8 AND after = lead(after) OVER paid THEN after
        END AS run
    FROM spaced
    WINDOW paid AS (PARTITION BY venue, symbol ORDER BY ts_event)
), found AS (
    SELECT *, coalesce(run, interval_hours, CASE WHEN least(before, after) <= 24 THEN least(before, after) END) AS hours FROM regular
)
SELECT
    f.ts_event, f.venue, f.symbol, f.instrument, f.base, f.funding_rate, f.hours AS interval_hours,
    CASE WHEN f.hours = f.interval_hours THEN 'sent' WHEN f.hours IS NOT NULL THEN 'spacing' END AS interval_from,
    f.funding_rate * 8 / nullif(f.hours, 0) AS rate_8h, f.funding_rate * 8760 / nullif(f.hours, 0) AS rate_year, f.cumulative
FROM found AS f
ORDER BY f.venue, f.symbol, f.ts_event
