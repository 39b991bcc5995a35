-- funding_current: the latest running funding estimate of every contract, comparable across intervals.
-- Reads funding_rates, instruments. Grain: one row per venue and symbol heard of in the 24 hours before as_of(). funding_rate: a
-- fraction per interval_hours; positive: longs pay shorts. rate_8h, rate_day, rate_year (simple, not compounded: x 8760 /
-- interval_hours): null if the interval is not known. stale: its settlement was more than 15 minutes ago, or the rate arrived more
-- than 9 hours ago. Do not judge by age_s alone: a venue that sends only changes may send nothing for a whole interval.
WITH latest AS (
    SELECT
        venue, symbol, max(ts_event) AS ts_event,
        any_value(instrument) AS instrument, any_value(base) AS base, any_value(quote) AS quote, any_value(settle) AS settle,
        arg_max(funding_rate, ts_event) AS funding_rate,
        max_by({'hours': interval_hours, 'next': next_funding_ts}, ts_event) AS row
    FROM funding_rates
    WHERE ts > as_of() - INTERVAL 24 HOURS AND ts <= as_of() AND ts_event <= as_of()
    GROUP BY venue, symbol
)
SELECT
    l.venue,
    l.symbol,
    coalesce(l.instrument, i.instrument) AS instrument,
    coalesce(l.base, i.base) AS base,
    coalesce(l.quote, i.quote) AS quote,
    coalesce(l.settle, i.settle) AS settle,
    l.funding_rate,
    coalesce(l.row.hours, i.interval_hours) AS interval_hours,
    l.funding_rate * 8 / nullif(coalesce(l.row.hours, i.interval_hours), 0) AS rate_8h,
    l.funding_rate * 24 / nullif(coalesce(l.row.hours, i.interval_hours), 0) AS rate_day,
    l.funding_rate * 8760 / nullif(coalesce(l.row.hours, i.interval_hours), 0) AS rate_year,
    l.row.next AS next_funding_ts,
    l.ts_event,
    date_diff('second', l.ts_event, as_of()) AS age_s,
    coalesce(l.row.next < as_of() - INTERVAL 15 MINUTES, false) OR l.ts_event < as_of() - INTERVAL 9 HOURS AS stale
FROM latest AS l
LEFT JOIN instruments_as_of AS i ON l.venue = i.venue AND l.symbol = i.symbol AND i.is_current
ORDER BY 4, l.venue, l.symbol
