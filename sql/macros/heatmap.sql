-- heatmap(instrument, since, price_bin := 0, time_bin := INTERVAL 15 MINUTES, at_market := false): USD liquidated by time, price and side.
-- Subject: Liquidations. Reads liquidations_filled_in, liquidation_cells_15m, liquidation_price_shifts, liquidation_coverage. Grain: one row per instrument,
-- bin_start (time, UTC), price_low and position_side with a liquidation since `since`. instrument: our spelling ('BTC/USDT:USDT',
-- all venues that list it), NULL for all; BTC or BTCUSDT is an error that suggests the right names. time_bin: an interval, or its
-- text ('1h'). price_bin: width in quote per coin; 0 chooses the largest of 1, 2 or 5 times a power of ten that is at most 0.2 %
-- of the highest price. If price_bin is 0, time_bin whole quarters of an hour, and `since` more than 24 hours ago, what is older
-- than 24 hours comes from liquidation_cells_15m and begins with a full quarter of an hour; everything else is exact to the last
-- commit. A cell has price_low <= price < price_high. price is what the venue sends, in price_kinds: a fill average, a mark, or a
-- bankruptcy price. A bankruptcy price is beyond the market price, so a cell of several kinds is inexact by about the maintenance
-- margin; at_market := true shifts such prices back to the market by liquidation_price_shifts. price_low is null if no price is known. unpriced: liquidations without a USD amount, in count but not in usd. venues:
-- those in the cell. lower_bound: see lower_bound(). coverage_share: the lowest, suspect_share and saturated_share the highest of
-- all venues since `since`: an empty cell does not prove that nothing happened.
-- Example: FROM heatmap('BTC/USDT:USDT', as_of() - INTERVAL 7 DAYS, 100, INTERVAL 1 HOUR)
WITH told_of AS (
    SELECT
        l.symbol, l.instrument AS of_instrument, time_bucket(time_bin::INTERVAL, l.ts_event) AS bin_start, l.price, l.price AS price_max,
        l.position_side, l.venue, l.completeness, l.price_kind, l.notional_usd AS usd, 1 AS count,
        (l.notional_usd IS NULL)::INTEGER AS unpriced, l.notional_usd AS largest_usd
    FROM liquidations_filled_in AS l
    WHERE (instrument IS NULL OR l.instrument = instrument) AND known_instrument(instrument)
        AND l.ts_event <= as_of()
        AND l.ts_event >= CASE
            WHEN price_bin = 0 AND epoch(time_bin::INTERVAL) % 900 = 0 AND since::TIMESTAMP < as_of() - INTERVAL 24 HOURS
            THEN time_bucket(INTERVAL 15 MINUTES, as_of() - INTERVAL 24 HOURS) ELSE since::TIMESTAMP END
    UNION ALL
    SELECT
        c.symbol, c.instrument, time_bucket(time_bin::INTERVAL, c.bin_start), c.price_low, c.price_max, c.position_side, c.venue, c.completeness,
        c.price_kind, c.usd, c.count, c.unpriced, c.largest_usd
    FROM liquidation_cells_15m AS c
    WHERE (instrument IS NULL OR c.instrument = instrument)
        AND price_bin = 0 AND epoch(time_bin::INTERVAL) % 900 = 0 AND since::TIMESTAMP < as_of() - INTERVAL 24 HOURS
        AND c.bin_start >= time_bucket(INTERVAL 15 MINUTES, since::TIMESTAMP)
        AND c.bin_start < time_bucket(INTERVAL 15 MINUTES, as_of() - INTERVAL 24 HOURS)
), found AS (
    SELECT
        CASE WHEN s.shift IS NULL THEN 1 WHEN t.position_side = 'long' THEN 1 - s.shift ELSE 1 + s.shift END AS beyond,
        t.* EXCLUDE (symbol, price, price_max), t.price / beyond AS price, t.price_max / beyond AS price_max
    FROM told_of AS t
    LEFT JOIN liquidation_price_shifts AS s
        ON at_market AND s.price_kind = t.price_kind AND s.venue = t.venue AND s.symbol = t.symbol
), widths AS (
    SELECT
        of_instrument,
        nullif(0.002 * max(price_max), 0) AS aim,
        10 ** floor(log10(aim)) AS power,
        CASE WHEN price_bin > 0 THEN price_bin WHEN aim >= 5 * power THEN 5 * power WHEN aim >= 2 * power THEN 2 * power
            ELSE power END AS width
    FROM found
    GROUP BY of_instrument
), parts AS (
    SELECT
        f.of_instrument, bin_start, width,
        floor(round(price / width, 6)) AS step, -- rounded, as 0.3 / 0.001 is a little below 300
        position_side, venue, completeness, price_kind,
        sum(usd) AS usd, sum(count)::BIGINT AS count, sum(unpriced)::BIGINT AS unpriced, max(largest_usd) AS largest_usd
    FROM found AS f JOIN widths AS w ON f.of_instrument IS NOT DISTINCT FROM w.of_instrument
    GROUP BY ALL
), coverage AS (
    FROM liquidation_coverage([since::TIMESTAMP])
), feeds AS (
    -- what the rows of a cell are from is one bit each in feeds_in; there are few, and a cell has one or two of them
    SELECT k.*, 1::HUGEINT << (row_number() OVER () - 1)::INTEGER AS bit, v.coverage_share IS NOT NULL AS measured
    FROM (SELECT DISTINCT venue, completeness, price_kind FROM parts) AS k LEFT JOIN coverage AS v ON k.venue = v.venue
), cells AS (
    SELECT
        of_instrument, bin_start, width, step, position_side,
        coalesce(sum(usd), 0) AS usd, sum(count)::BIGINT AS count, max(largest_usd) AS largest_usd,
        sum(unpriced)::BIGINT AS unpriced, bit_or(bit) AS feeds_in
    FROM parts AS p
    JOIN feeds AS f ON p.venue = f.venue AND p.completeness IS NOT DISTINCT FROM f.completeness
        AND p.price_kind IS NOT DISTINCT FROM f.price_kind
    GROUP BY ALL
), told AS (
    SELECT
        feeds_in,
        bool_and(measured) AS measured,
        coalesce(string_agg(DISTINCT price_kind, ', ' ORDER BY price_kind), '') AS price_kinds,
        coalesce(string_agg(DISTINCT completeness, ', ' ORDER BY completeness), '') AS completeness,
        string_agg(DISTINCT venue, ', ' ORDER BY venue) AS venues
    FROM (SELECT DISTINCT feeds_in FROM cells) JOIN feeds ON feeds_in & bit <> 0
    GROUP BY feeds_in
)
SELECT
    of_instrument AS instrument,
    bin_start,
    round(step * width, 12) AS price_low,
    round((step + 1) * width, 12) AS price_high,
    position_side,
    usd,
    count,
    largest_usd,
    unpriced,
    price_kinds,
    completeness,
    lower_bound(completeness, CASE WHEN measured THEN lowest END, suspect, unpriced) AS lower_bound,
    CASE WHEN measured THEN lowest END AS coverage_share,
    CASE WHEN measured THEN suspect END AS suspect_share,
    highest AS saturated_share,
    venues
FROM cells JOIN told USING (feeds_in)
    CROSS JOIN (SELECT min(coverage_share) AS lowest, max(suspect_share) AS suspect, max(saturated_share) AS highest
        FROM coverage)
ORDER BY bin_start, price_low, position_side
