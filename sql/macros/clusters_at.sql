-- clusters_at(moment, max_age_hours := 2): dense clusters of estimated liquidation levels at a moment, without what the price had passed. Estimates.
-- Reads levels_at, clusters_of. Grain: one row per cluster: neighbouring price bins of one coin and side, each with at
-- least twice the mean of the side's bins within 20 % of the price (threshold_usd). A cluster that begins within 20 % is whole, also
-- beyond. share: what of it lies within 20 %, of the side's estimated USD there.
-- distance: from price_now (the price at the moment; price_then: at ts) to the nearest edge; negative below the price.
-- peak_price: the densest bin; of equal bins the one nearer to the price. rank: 1 is the largest of its coin and side. age_s,
-- freshness (FRESH or STALE): of the map. Nothing after the moment is read.
-- Example: FROM clusters_at(as_of())
WITH dense_in AS MATERIALIZED (
    FROM levels_at(moment, max_age_hours := max_age_hours)
)
FROM clusters_of('dense_in')
