-- funding_cumulative: what a long paid in funding over the last 1, 7, 30 and 365 days, as a share of its notional.
-- Reads funding_settlements, instruments. Grain: one row per venue, symbol and days (1, 7, 30, 365, counted back from as_of())
-- with a settlement in it. cumulative: sum of the settled rates (a fraction; shorts received it). settlements: how many. first_ts,
-- last_ts: the first and last of them; they show if the series begins or ends inside the window. covered_days: from first to last,
-- plus the interval before the first (that of the first settlement that has one, else the contract's); null if no interval is
-- known. rate_year: cumulative x 365 / covered_days, simple.
WITH settled AS (
    SELECT
        venue, symbol, ts_event, funding_rate, interval_hours, instrument, base, quote, settle,
        CASE
            WHEN ts_event > as_of() - INTERVAL 1 DAY THEN 1
            WHEN ts_event > as_of() - INTERVAL 7 DAYS THEN 7
            WHEN ts_event > as_of() - INTERVAL 30 DAYS THEN 30
            ELSE 365
        END AS age_days
    FROM funding_settlements
    WHERE ts_event > as_of() - INTERVAL 365 DAYS AND ts_event <= as_of()
), parts AS (
    SELECT
        venue, symbol, age_days, max(instrument) AS instrument, max(base) AS base, max(quote) AS quote, max(settle) AS settle,
        sum(funding_rate) AS rates, count(*) AS settlements, min(ts_event) AS first_ts, max(ts_event) AS last_ts,
        arg_min(interval_hours, ts_event) AS first_interval
    FROM settled
    GROUP BY venue, symbol, age_days
), windows AS (
    SELECT
        venue, symbol, w.days, max(instrument) AS instrument, max(base) AS base, max(quote) AS quote, max(settle) AS settle,
        sum(rates) AS cumulative, sum(settlements)::BIGINT AS settlements, min(first_ts) AS first_ts, max(last_ts) AS last_ts,
        arg_min(first_interval, first_ts) AS first_interval
    FROM parts JOIN (VALUES (1), (7), (30), (365)) AS w(days) ON parts.age_days <= w.days
    GROUP BY venue, symbol, w.days
), described AS (
    SELECT
        w.* REPLACE (
            coalesce(w.instrument, i.instrument) AS instrument, coalesce(w.base, i.base) AS base,
            coalesce(w.quote, i.quote) AS quote, coalesce(w.settle, i.settle) AS settle),
        (date_diff('second', w.first_ts, w.last_ts) / 3600 + coalesce(w.first_interval, i.interval_hours)) / 24 AS covered_days
    FROM windows AS w
    LEFT JOIN instruments_as_of AS i ON w.venue = i.venue AND w.symbol = i.symbol AND i.is_current
)
SELECT
    venue, symbol, instrument, base, quote, settle, days, cumulative, settlements, first_ts, last_ts, covered_days,
    cumulative * 365 / nullif(covered_days, 0) AS rate_year
FROM described
ORDER BY days, cumulative DESC
