-- heatmap(instrument, since, price_bin := 0, time_bin := INTERVAL 15 MINUTES): USD liquidated by time, price and side.
-- Reads liquidations_complete, liquidation_coverage. Grain: one row per instrument, bin_start (time, UTC), price_low and
-- position_side with a liquidation since `since`. instrument: our spelling ('BTC/USDT:USDT', all venues that list it), NULL for all.
-- price_bin: width in quote per coin; 0 takes the largest of 1, 2 or 5 times a power of ten that is at most 0.2 % of the highest
-- price. A cell holds price_low <= price < price_high. price is what the venue sends, in price_kinds: a fill average, a mark, or a
-- bankruptcy price, which lies beyond the market, so a cell of several kinds is blurred by about the maintenance margin.
-- price_low is null where no price is known; unpriced: liquidations without a USD amount, in count but not in usd. venues: those in
-- the cell. lower_bound: see there; coverage_share: the lowest and saturated_share the highest of all venues since `since`: an empty
-- cell is no proof that nothing happened.
-- Example: FROM heatmap('BTC/USDT:USDT', as_of() - INTERVAL 7 DAYS, 100, INTERVAL 1 HOUR)
WITH found AS (
    SELECT *, 0.002 * max(price) OVER (PARTITION BY of_instrument) AS aim
    FROM (SELECT * RENAME (instrument AS of_instrument) FROM liquidations_complete)
    WHERE ts_event >= since::TIMESTAMP AND ts_event <= as_of() AND (instrument IS NULL OR of_instrument = instrument)
), binned AS (
    SELECT
        *,
        10 ** floor(log10(aim)) AS power,
        CASE WHEN price_bin > 0 THEN price_bin WHEN aim >= 5 * power THEN 5 * power WHEN aim >= 2 * power THEN 2 * power
            ELSE power END AS width
    FROM found
), coverage AS (
    FROM liquidation_coverage([since::TIMESTAMP])
), cells AS (
    SELECT
        of_instrument,
        time_bucket(time_bin, ts_event) AS bin_start,
        width,
        floor(round(price / width, 6)) AS step, -- rounded, as 0.3 / 0.001 is a little below 300
        position_side,
        coalesce(sum(notional_usd), 0) AS usd,
        count(*) AS count,
        max(notional_usd) AS largest_usd,
        count(*) - count(notional_usd) AS unpriced,
        list(completeness) AS classes,
        list(b.venue) AS venues,
        list(price_kind) AS kinds,
        count(coverage_share) = count(*) AS measured
    FROM binned AS b LEFT JOIN coverage AS v ON b.venue = v.venue
    GROUP BY ALL
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
    array_to_string(list_sort(list_distinct(kinds)), ', ') AS price_kinds,
    array_to_string(list_sort(list_distinct(c.classes)), ', ') AS completeness,
    lower_bound(completeness, CASE WHEN measured THEN lowest END, unpriced) AS lower_bound,
    CASE WHEN measured THEN lowest END AS coverage_share,
    highest AS saturated_share,
    array_to_string(list_sort(list_distinct(venues)), ', ') AS venues
FROM cells AS c CROSS JOIN (SELECT min(coverage_share) AS lowest, max(saturated_share) AS highest FROM coverage)
ORDER BY bin_start, price_low, position_side
