-- liquidation_map: the newest estimated liquidation levels of every coin, by leverage, swept to now. Estimates, nothing observed.
-- Reads levels_swept, levels_score. Grain: one row per base, position_side, leverage and price bin of the newest column of the
-- 48 hours before as_of(); bins that the price has passed since (low_since, high_since) are left out. usd_estimated is read as relative;
-- cumulative_usd: of all leverages from the price to this bin and with it, outwards. Long levels are below price_now (the price at
-- as_of()), short levels above; price_then: the price at ts. freshness: FRESH, or STALE where the map (age_s) or the newest price
-- (price_ts) is older than levels_limits allows. The score is that of the coin's newest back-test; null: never scored.
SELECT
    l.ts, l.base, l.position_side, l.leverage, l.bin, l.price_low, l.price_high, l.price, l.qty_base_estimated,
    l.usd_estimated,
    sum(l.usd_estimated) OVER (
        PARTITION BY l.base, l.position_side ORDER BY abs(l.distance) RANGE UNBOUNDED PRECEDING) AS cumulative_usd,
    l.price_now, l.distance, l.freshness, l.age_s, l.price_then, l.low_since, l.high_since, l.price_ts,
    l.contracts, l.venues, l.since, l.bars_share, l.weights_from, l.weights_since,
    s.rank_correlation AS score_rank_correlation, s.top_decile_mass AS score_top_decile_mass,
    s.beats_nulls AS score_beats_nulls, coalesce(s.verdict, 'never scored') AS score_verdict
FROM levels_swept(as_of(), max_age_hours := 48) AS l LEFT JOIN levels_score AS s USING (base)
ORDER BY base, l.position_side, abs(l.distance), l.leverage
