-- open_interest_1h_samples_agree: each hour of open interest stands on all values of the hour
-- Failure. Table open_interest_1h. Whole hours of the time; those that got rows after it are left out, and what rollup_pending still
-- names. Grain: one hour and contract.
WITH bars AS (
    SELECT hour, venue, symbol, samples, last_ts FROM open_interest_1h
    WHERE hour >= $since AND hour + INTERVAL 1 HOUR <= $until
), sums AS (
    SELECT date_trunc('hour', ts_event) AS hour, venue, symbol, count(*) AS samples, max(ts_event) AS last_ts,
        max(ts_recv) >= $until AS is_late
    FROM open_interest WHERE ts_event >= $since AND ts_event < date_trunc('hour', $until::TIMESTAMP)
        AND date_trunc('hour', ts_event) >= $since
    GROUP BY ALL
)
SELECT coalesce(b.hour, s.hour) AS hour, coalesce(b.venue, s.venue) AS venue, coalesce(b.symbol, s.symbol) AS symbol,
    b.samples AS bar_samples, s.samples, b.last_ts AS bar_last_ts, s.last_ts
FROM bars AS b FULL JOIN sums AS s ON b.hour = s.hour AND b.venue = s.venue AND b.symbol = s.symbol
WHERE (b.samples IS DISTINCT FROM s.samples OR b.last_ts IS DISTINCT FROM s.last_ts) AND s.is_late IS NOT TRUE
    AND NOT EXISTS (
        FROM rollup_pending AS p
        WHERE p.bars = 'open_interest' AND (p.since IS NULL OR coalesce(b.hour, s.hour) >= p.since AND coalesce(b.hour, s.hour) < p.until)
    )
