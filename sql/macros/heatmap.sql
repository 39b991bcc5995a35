-- heatmap(instrument, since, price_bin := 0, time_bin := INTERVAL 15 MINUTES): USD liquidated by time, price and side.
-- Subject: Liquidations.
-- Reads liquidations_complete, liquidation_cells_15m, liquidation_coverage. Grain: one row per instrument, bin_start (time, UTC),
-- price_low and position_side with a liquidation since `since`. instrument: our spelling ('BTC/USDT:USDT', all venues that list
-- it), NULL for all; BTC or BTCUSDT is an error that names those meant. time_bin: an interval, or its text ('1h').
-- price_bin: width in quote per coin; 0 takes the largest of 1, 2 or 5 times a power of ten that is at most 0.2 % of the highest
-- price. With 0, a time_bin of whole quarters of an hour and a `since` more than 24 hours ago, what is older than 24 hours comes
-- from liquidation_cells_15m and begins with a full quarter of an hour; all else is exact to the last commit.
-- A cell holds price_low <= price < price_high. price is what the venue sends, in price_kinds: a fill average, a mark, or a
-- bankruptcy price, which lies beyond the market, so a cell of several kinds is blurred by about the maintenance margin.
-- price_low is null where no price is known; unpriced: liquidations without a USD amount, in count but not in usd. venues: those in
-- the cell. lower_bound: see there; coverage_share: the lowest, suspect_share and saturated_share the highest of all venues since
-- `since`: an empty cell is no proof that nothing happened.
-- Example: FROM heatmap('BTC/USDT:USDT', as_of() - INTERVAL 7 DAYS, 100, INTERVAL 1 HOUR)
WITH found AS (
    SELECT
        l.instrument AS of_instrument, time_bucket(time_bin::INTERVAL, l.ts_event) AS bin_start, l.price, l.price AS price_max,
        l.position_side, l.venue, l.completeness, l.price_kind, l.notional_usd AS usd, 1 AS count,
        (l.notional_usd IS NULL)::INTEGER AS unpriced, l.notional_usd AS largest_usd
    FROM liquidations_complete AS l
    WHERE (instrument IS NULL OR l.instrument = instrument) AND known_instrument(instrument)
        AND l.ts_event <= as_of()
        AND l.ts_event >= CASE
            WHEN price_bin = 0 AND epoch(time_bin::INTERVAL) % 900 = 0 AND since::TIMESTAMP < as_of() - INTERVAL 24 HOURS
            THEN time_bucket(INTERVAL 15 MINUTES, as_of() - INTERVAL 24 HOURS) ELSE since::TIMESTAMP END
    UNION ALL
    SELECT
        c.instrument, time_bucket(time_bin::INTERVAL, c.bin_start), c.price_low, c.price_max, c.position_side, c.venue, c.completeness,
        c.price_kind, c.usd, c.count, c.unpriced, c.largest_usd
    FROM liquidation_cells_15m AS c
    WHERE (instrument IS NULL OR c.instrument = instrument)
        AND price_bin = 0 AND epoch(time_bin::INTERVAL) % 900 = 0 AND since::TIMESTAMP < as_of() - INTERVAL 24 HOURS
        AND c.bin_start >= time_bucket(INTERVAL 15 MINUTES, since::TIMESTAMP)
        AND c.bin_start < time_bucket(INTERVAL 15 MINUTES, as_of() - INTERVAL 24 HOURS)
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
