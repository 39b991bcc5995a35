-- liquidations_1m_sums_agree: each minute is the sum of its liquidations
-- Failure. Table liquidations_1m. Minutes that got rows after the time are left out, and what rollup_pending still names.
-- Grain: one minute, contract, side and class.
WITH bars AS (
    SELECT minute, venue, symbol, position_side, completeness, sum(usd) AS usd, sum(count)::BIGINT AS count,
        sum(unpriced)::BIGINT AS unpriced, max(largest_usd) AS largest_usd
    FROM liquidations_1m WHERE minute >= $since AND minute < $until GROUP BY ALL
), sums AS (
    SELECT date_trunc('minute', ts_event) AS minute, venue, symbol, position_side, completeness,
        coalesce(sum(notional_usd), 0) AS usd, count(*) AS count, count(*) - count(notional_usd) AS unpriced,
        max(notional_usd) AS largest_usd
    FROM liquidations_filled_in WHERE ts_event >= $since AND ts_event < $until GROUP BY ALL
), late AS (
    SELECT DISTINCT date_trunc('minute', ts_event) AS minute FROM liquidations
    WHERE ts_event >= $since AND ts_event < $until AND ts_recv >= $until
)
SELECT coalesce(b.minute, s.minute) AS minute, coalesce(b.venue, s.venue) AS venue, coalesce(b.symbol, s.symbol) AS symbol,
    coalesce(b.position_side, s.position_side) AS position_side, b.count AS bar_count, s.count AS sum_count,
    b.usd AS bar_usd, s.usd AS sum_usd
FROM bars AS b FULL JOIN sums AS s
    ON b.minute = s.minute AND b.venue = s.venue AND b.symbol = s.symbol AND b.position_side IS NOT DISTINCT FROM s.position_side
    AND b.completeness = s.completeness
WHERE (b.count IS DISTINCT FROM s.count OR b.unpriced IS DISTINCT FROM s.unpriced
    OR abs(b.usd - s.usd) > 1e-9 * abs(s.usd) OR b.largest_usd IS DISTINCT FROM s.largest_usd)
    AND coalesce(b.minute, s.minute) NOT IN (FROM late)
    AND NOT EXISTS (
        FROM rollup_pending AS p
        WHERE p.bars = 'liquidations' AND coalesce(b.minute, s.minute) >= p.since AND coalesce(b.minute, s.minute) < p.until
            OR coalesce(b.venue, s.venue) = p.venue AND coalesce(b.symbol, s.symbol) = p.symbol)
