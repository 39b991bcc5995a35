-- liquidation_map: the newest estimated liquidation levels of every coin, by leverage, without those the price has passed. Estimates, nothing observed.
-- Reads levels_swept, levels_score. Grain: one row per base, position_side, leverage and price bin of the newest column of the 48
-- hours before as_of(). Bins that the price has passed since (low_since, high_since) are left out. usd_estimated: compare values
-- with each other, do not take them as absolute. cumulative_usd: of all leverages, from the price outwards up to and including
-- this bin. Long levels are below price_now (the price at as_of()), short levels above. price_then: the price at ts. freshness:
-- FRESH, or STALE if the map (age_s) or the newest price (price_ts) is older than levels_limits allows. The score is from the
-- coin's newest back-test; null if there is none. model: the one that levels_model shows: reach (USD if the price comes to the bin;
-- leverage null) or oi (by leverage).
SELECT
    l.ts, l.base, coalesce(l.model, 'oi') AS model, l.position_side, l.leverage, l.bin, l.price_low, l.price_high, l.price, l.qty_base_estimated,
    l.usd_estimated,
    sum(l.usd_estimated) OVER (
        PARTITION BY l.base, l.position_side ORDER BY abs(l.distance) RANGE UNBOUNDED PRECEDING) AS cumulative_usd,
    l.price_now, l.distance, l.freshness, l.age_s, l.price_then, l.low_since, l.high_since, l.price_ts,
    l.contracts, l.venues, l.since, l.bars_share, l.weights_from, l.weights_since,
    s.rank_correlation AS score_rank_correlation, s.top_decile_mass AS score_top_decile_mass,
    s.beats_nulls AS score_beats_nulls, coalesce(s.verdict, 'never scored') AS score_verdict
FROM levels_swept(as_of(), max_age_hours := 48) AS l LEFT JOIN levels_score AS s USING (base)
ORDER BY base, l.position_side, abs(l.distance), l.leverage
