-- liquidation_clusters: dense clusters of the newest estimated liquidation levels near the price. Estimates, nothing observed.
-- Reads clusters_at, levels_score. Grain: one row per cluster: neighbouring price bins of one coin and side, each with at
-- least twice the mean of the side's bins within 20 % of the price (threshold_usd). A cluster that begins within 20 % is whole, also
-- beyond. share: what of it lies within 20 %, of the side's estimated USD there.
-- distance: from price_now to the nearest edge; negative below the price. peak_price: the densest bin; of equal bins the one
-- nearer to the price. rank: 1 is the largest of its coin and side. What the price has passed since the map (at ts) is left out.
-- price_now: the price at as_of(); price_then: the price at ts. age_s, freshness (FRESH, or STALE by levels_limits): of the map.
-- The score is from the coin's newest back-test; null if there is none.
SELECT
    c.*, s.rank_correlation AS score_rank_correlation, s.top_decile_mass AS score_top_decile_mass,
    s.beats_nulls AS score_beats_nulls, coalesce(s.verdict, 'never scored') AS score_verdict
FROM clusters_at(as_of(), max_age_hours := 48) AS c LEFT JOIN levels_score AS s USING (base)
ORDER BY base, c.position_side, c.rank, c.distance
