-- liquidation_clusters: where the newest estimated liquidation levels lie dense, near the price. Estimates, nothing observed.
-- Reads clusters_at, levels_score. Grain: one row per cluster: neighbouring price bins of one coin and side, within 20 % of the price,
-- each with at least twice the mean of the side's bins there (threshold_usd). share: of the side's estimated USD within 20 %;
-- distance: from price_now to the nearest edge, negative below; peak_price: its densest bin, the nearer of equals; rank: 1 is the
-- largest of its coin and side. Clusters are swept: what the price has passed since the map (at ts) is not in them; price_now is the
-- price now, price_then that at ts. age_s and freshness (FRESH, or STALE by levels_limits): of the map. The score is that of the coin's
-- newest back-test; null: never scored.
SELECT
    c.*, s.rank_correlation AS score_rank_correlation, s.top_decile_mass AS score_top_decile_mass,
    s.beats_nulls AS score_beats_nulls, coalesce(s.verdict, 'never scored') AS score_verdict
FROM clusters_at(as_of(), max_age_hours := 48) AS c LEFT JOIN levels_score AS s USING (base)
ORDER BY base, c.position_side, c.rank, c.distance
