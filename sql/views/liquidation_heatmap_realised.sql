-- liquidation_heatmap_realised: USD liquidated in the last 24 hours per quarter of an hour, price bin and side.
-- Reads heatmap. Grain: one row per instrument, bin_start, price_low and position_side. These liquidations happened; they are no
-- estimates. The price bin is chosen per instrument, about 0.1 to 0.2 % of its price. price_kinds: which prices the venues sent.
-- For other times and bins, and the columns, see heatmap(instrument, since, price_bin, time_bin).
FROM heatmap(NULL, as_of() - INTERVAL 24 HOURS)
