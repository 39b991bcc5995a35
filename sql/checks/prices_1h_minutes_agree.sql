-- prices_1h_minutes_agree: each hour of prices stands on all minutes of the hour, or on more
-- Failure. Table prices_1h. Whole hours of the time; those that got candles after it are left out, and what rollup_pending still
-- names. More: where the venue's own candle of the hour stands in. Grain: one hour and contract.
WITH bars AS (
    SELECT hour, venue, symbol, minutes, last_minute FROM prices_1h
    WHERE hour >= $since AND hour + INTERVAL 1 HOUR <= $until
), sums AS (
    SELECT date_trunc('hour', ts_event) AS hour, venue, symbol, count(*) FILTER (closed) AS minutes, max(ts_event) AS last_minute,
        max(ts_recv) >= $until AS is_late
    FROM klines WHERE ts_event >= $since AND ts_event < date_trunc('hour', $until::TIMESTAMP)
        AND date_trunc('hour', ts_event) >= $since AND "interval" = '1m' AND price_kind = 'trade'
    GROUP BY ALL
)
SELECT s.hour, s.venue, s.symbol, b.minutes AS bar_minutes, s.minutes, b.last_minute AS bar_last_minute, s.last_minute
FROM sums AS s LEFT JOIN bars AS b ON b.hour = s.hour AND b.venue = s.venue AND b.symbol = s.symbol
WHERE (b.minutes IS NULL OR b.minutes < s.minutes OR b.last_minute < s.last_minute) AND s.is_late IS NOT TRUE
    AND NOT EXISTS (
        FROM rollup_pending AS p WHERE p.bars = 'prices' AND (p.since IS NULL OR s.hour >= p.since AND s.hour < p.until)
    )
