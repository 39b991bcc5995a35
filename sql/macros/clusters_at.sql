-- clusters_at(moment, max_age_hours := 2): where the estimated liquidation levels lay dense at a moment, what the price had passed left out. Estimates.
-- Reads levels_at, clusters_of. Grain: one row per cluster: neighbouring price bins of one coin and side, within 20 % of the price, each with at
-- least twice the mean of the side's bins there (threshold_usd). share: of the side's estimated USD within 20 %; distance: from
-- price_now (the price at the moment; price_then: at ts) to the nearest edge, negative below; peak_price: its densest bin, the nearer
-- of equals; rank: 1 is the largest of its coin and side. age_s and freshness (FRESH or STALE): of the map. Nothing after the moment is
-- read.
-- Example: FROM clusters_at(as_of())
WITH dense_in AS MATERIALIZED (
    FROM levels_at(moment, max_age_hours := max_age_hours)
)
FROM clusters_of('dense_in')
