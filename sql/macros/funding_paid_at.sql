-- funding_paid_at(moment): each coin's running funding at a full hour, weighted by open interest, and how that changed.
-- Reads funding_rates of the 24 hours before the moment, open_interest_1h, instruments. Grain: one row per base with either.
-- rate_8h: per eight hours, positive if longs pay, over the contracts with a rate that is not stale (as in funding_current), its
-- interval, and open interest in USD at the end of the hour before the moment. oi_change_1h, oi_change_24h: change in coins, as a
-- fraction, of the contracts with a value at both ends. Null if there are none. Nothing at or after the moment is read. Subject:
-- Signals.
-- Example: FROM funding_paid_at(TIMESTAMP '2026-11-01 12:00:00')
WITH described AS (
    SELECT i.venue, i.symbol, i.base, i.interval_hours
    FROM instruments_as_of AS i
    WHERE i.since <= moment AND (i.valid_to IS NULL OR i.valid_to > moment)
), interest AS (
    SELECT
        o.venue, o.symbol, any_value(o.base) AS base,
        max(o.close_usd) FILTER (o.hour = moment::TIMESTAMP - INTERVAL 1 HOUR) AS usd,
        max(o.close_base) FILTER (o.hour = moment::TIMESTAMP - INTERVAL 1 HOUR) AS now_base,
        max(o.close_base) FILTER (o.hour = moment::TIMESTAMP - INTERVAL 2 HOURS) AS base_1h,
        max(o.close_base) FILTER (o.hour = moment::TIMESTAMP - INTERVAL 25 HOURS) AS base_24h
    FROM open_interest_1h AS o
    WHERE o.hour >= moment::TIMESTAMP - INTERVAL 25 HOURS AND o.hour < moment
    GROUP BY o.venue, o.symbol
), paid AS (
    SELECT
        f.venue, f.symbol, any_value(f.base) AS base, max(f.ts_event) AS ts_event,
        max_by({'rate': f.funding_rate, 'hours': f.interval_hours, 'next': f.next_funding_ts}, f.ts_event) AS row
    FROM funding_rates AS f
    WHERE f.ts >= moment::TIMESTAMP - INTERVAL 24 HOURS AND f.ts < moment AND f.ts_event < moment
    GROUP BY f.venue, f.symbol
), joined AS (
    SELECT
        coalesce(f.base, o.base, d.base) AS coin, o.*,
        CASE WHEN coalesce(f.row.next >= moment::TIMESTAMP - INTERVAL 15 MINUTES, true) AND f.ts_event >= moment::TIMESTAMP - INTERVAL 9 HOURS
            THEN f.row.rate * 8 / nullif(coalesce(f.row.hours, d.interval_hours), 0) END AS rate
    FROM interest AS o
    FULL JOIN paid AS f ON o.venue = f.venue AND o.symbol = f.symbol
    LEFT JOIN described AS d ON d.venue = coalesce(o.venue, f.venue) AND d.symbol = coalesce(o.symbol, f.symbol)
)
SELECT
    b.coin AS base,
    sum(b.rate * b.usd) / nullif(sum(b.usd) FILTER (b.rate IS NOT NULL), 0) AS rate_8h,
    sum(b.usd) AS oi_usd,
    sum(b.now_base - b.base_1h) / nullif(sum(b.base_1h) FILTER (b.now_base IS NOT NULL), 0) AS oi_change_1h,
    sum(b.now_base - b.base_24h) / nullif(sum(b.base_24h) FILTER (b.now_base IS NOT NULL), 0) AS oi_change_24h
FROM joined AS b
WHERE b.coin IS NOT NULL
GROUP BY b.coin
