-- zones_at(moment): clusters of estimated liquidation levels that the last day's price traded through, and those still ahead.
-- Reads levels_at now and 24 hours before, zones_of. Grain: one row per cluster.
-- state: cleared (of the map of 24 hours before: price reached its densest bin since; kind support for longs' below, resistance for
-- shorts' above) or uncleared (of the newest map; kind magnet, where price may be drawn to). share: of the side's estimated USD
-- within 20 % in its map. distance: uncleared, from the price to the nearest edge; cleared, how far the price has come back from the
-- peak_price, positive: above a long's, below a short's; both fractions. realised_usd, realised_count: liquidated of the side at
-- prices inside it in the 24 hours, by feeds of the classes in completeness, a throttled one telling too little; a bankruptcy price
-- lies a maintenance margin off. swept: share of the cluster's width traded through. Cleared ones need all 24 hours of candles: where
-- they are not there nothing is said to be cleared. Nothing at or after the moment is read but the map made at it.
-- Subject: Signals. Example: FROM zones_at(TIMESTAMP '2026-11-01 12:00:00')
WITH zones_now AS MATERIALIZED (
    FROM levels_at(moment)
), zones_before AS MATERIALIZED (
    FROM levels_at(moment::TIMESTAMP - INTERVAL 24 HOURS)
)
FROM zones_of(moment, 'zones_now', 'zones_before')
