-- funding_current: the latest running funding estimate of every contract, comparable across intervals.
-- Reads funding_rates. Grain: one row per venue and symbol heard of in the 24 hours before as_of(). funding_rate is per
-- interval_hours; rate_8h and rate_year (simple, not compounded) are null where the interval is not known.
WITH latest AS (
    SELECT venue, symbol, max_by(f, ts_event) AS row
    FROM funding_rates AS f
    WHERE ts > as_of() - INTERVAL 24 HOURS AND ts <= as_of() AND ts_event <= as_of()
    GROUP BY venue, symbol
)
SELECT
    venue,
    symbol,
    row.instrument,
    row.base,
    row.quote,
    row.settle,
    row.funding_rate,
    row.interval_hours,
    row.funding_rate * 8 / nullif(row.interval_hours, 0) AS rate_8h,
    row.funding_rate * 8760 / nullif(row.interval_hours, 0) AS rate_year,
    row.next_funding_ts,
    row.ts_event,
    date_diff('second', row.ts_event, as_of()) AS age_s
FROM latest
ORDER BY row.base, venue, symbol
