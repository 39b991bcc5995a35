-- liquidations_1h_sums_agree: each hour is the sum of its minutes
-- Failure. Table liquidations_1h. Whole hours of the time only. Grain: one hour, contract, side and class.
WITH bars AS (
    SELECT hour, venue, symbol, position_side, completeness, sum(usd) AS usd, sum(count)::BIGINT AS count,
        sum(unpriced)::BIGINT AS unpriced, max(largest_usd) AS largest_usd
    FROM liquidations_1h
    WHERE hour >= date_trunc('hour', $since::TIMESTAMP + INTERVAL 1 HOUR - INTERVAL 1 MICROSECOND)
        AND hour < date_trunc('hour', $until::TIMESTAMP)
    GROUP BY ALL
), sums AS (
    SELECT date_trunc('hour', minute) AS hour, venue, symbol, position_side, completeness,
        sum(usd) AS usd, sum(count)::BIGINT AS count, sum(unpriced)::BIGINT AS unpriced, max(largest_usd) AS largest_usd
    FROM liquidations_1m
    WHERE minute >= date_trunc('hour', $since::TIMESTAMP + INTERVAL 1 HOUR - INTERVAL 1 MICROSECOND)
        AND minute < date_trunc('hour', $until::TIMESTAMP)
    GROUP BY ALL
)
SELECT coalesce(b.hour, s.hour) AS hour, coalesce(b.venue, s.venue) AS venue, coalesce(b.symbol, s.symbol) AS symbol,
    coalesce(b.position_side, s.position_side) AS position_side, b.count AS bar_count, s.count AS sum_count,
    b.usd AS bar_usd, s.usd AS sum_usd
FROM bars AS b FULL JOIN sums AS s
    ON b.hour = s.hour AND b.venue = s.venue AND b.symbol = s.symbol AND b.position_side IS NOT DISTINCT FROM s.position_side
    AND b.completeness = s.completeness
WHERE (b.count IS DISTINCT FROM s.count OR b.unpriced IS DISTINCT FROM s.unpriced
    OR abs(b.usd - s.usd) > 1e-9 * abs(s.usd) OR b.largest_usd IS DISTINCT FROM s.largest_usd)
