-- liquidation_cells_15m_sums_agree: the cells of each quarter of an hour sum to its minutes
-- Failure. Table liquidation_cells_15m. Whole quarters of the time only. Grain: one quarter, contract, side and class.
WITH cells AS (
    SELECT bin_start, venue, symbol, position_side, completeness, sum(usd) AS usd, sum(count)::BIGINT AS count,
        sum(unpriced)::BIGINT AS unpriced, max(largest_usd) AS largest_usd
    FROM liquidation_cells_15m
    WHERE bin_start >= time_bucket(INTERVAL 15 MINUTES, $since::TIMESTAMP + INTERVAL 15 MINUTES - INTERVAL 1 MICROSECOND)
        AND bin_start < time_bucket(INTERVAL 15 MINUTES, $until::TIMESTAMP)
    GROUP BY ALL
), sums AS (
    SELECT time_bucket(INTERVAL 15 MINUTES, minute) AS bin_start, venue, symbol, position_side, completeness,
        sum(usd) AS usd, sum(count)::BIGINT AS count, sum(unpriced)::BIGINT AS unpriced, max(largest_usd) AS largest_usd
    FROM liquidations_1m
    WHERE minute >= time_bucket(INTERVAL 15 MINUTES, $since::TIMESTAMP + INTERVAL 15 MINUTES - INTERVAL 1 MICROSECOND)
        AND minute < time_bucket(INTERVAL 15 MINUTES, $until::TIMESTAMP)
    GROUP BY ALL
)
SELECT coalesce(c.bin_start, s.bin_start) AS bin_start, coalesce(c.venue, s.venue) AS venue,
    coalesce(c.symbol, s.symbol) AS symbol, coalesce(c.position_side, s.position_side) AS position_side,
    c.count AS cells_count, s.count AS sum_count, c.usd AS cells_usd, s.usd AS sum_usd
FROM cells AS c FULL JOIN sums AS s
    ON c.bin_start = s.bin_start AND c.venue = s.venue AND c.symbol = s.symbol AND c.position_side IS NOT DISTINCT FROM s.position_side
    AND c.completeness = s.completeness
WHERE (c.count IS DISTINCT FROM s.count OR c.unpriced IS DISTINCT FROM s.unpriced
    OR abs(c.usd - s.usd) > 1e-9 * abs(s.usd) OR c.largest_usd IS DISTINCT FROM s.largest_usd)
