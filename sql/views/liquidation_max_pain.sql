-- liquidation_max_pain: the price below and the price above the market with the most estimated liquidations. Estimates.
-- Reads levels_at, levels_score. Grain: one row per base and range: the bins no more than range_pct (5, 10, 20, 50) percent from
-- price_now. The long price is the middle of the bin below the price with the most estimated USD, the short price that of the bin
-- above it; of equal bins the one nearer to the price. Null if there is no level, or the price has passed all of them since the
-- map. price_now: the price at as_of(); price_then: the price at ts. freshness: FRESH, or STALE if the map (age_s) or the newest
-- price is older than levels_limits allows. The score is from the coin's newest back-test; null if there is none.
WITH sides AS (
    SELECT
        l.base, r.range_pct,
        arg_max(l.price, (l.usd, -abs(l.distance))) FILTER (l.position_side = 'long') AS long_price,
        max(l.usd) FILTER (l.position_side = 'long') AS long_usd_estimated,
        arg_max(l.price, (l.usd, -abs(l.distance))) FILTER (l.position_side = 'short') AS short_price,
        max(l.usd) FILTER (l.position_side = 'short') AS short_usd_estimated,
        any_value(l.price_now) AS price_now, any_value(l.freshness) AS freshness, any_value(l.age_s) AS age_s,
        any_value(l.price_then) AS price_then, any_value(l.ts) AS ts
    FROM levels_at(as_of(), max_age_hours := 48) AS l
    JOIN (VALUES (5), (10), (20), (50)) AS r(range_pct) ON abs(l.distance) * 100 <= r.range_pct
    GROUP BY l.base, r.range_pct
)
SELECT
    m.*, s.rank_correlation AS score_rank_correlation, s.top_decile_mass AS score_top_decile_mass, s.beats_nulls AS score_beats_nulls,
    coalesce(s.verdict, 'never scored') AS score_verdict
FROM sides AS m LEFT JOIN levels_score AS s USING (base)
ORDER BY base, range_pct
