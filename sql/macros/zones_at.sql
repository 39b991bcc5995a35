-- zones_at(moment): clusters of estimated liquidation levels that the last day's price traded through, and those not yet reached.
-- Reads levels_at (model oi) now and 24 hours before, zones_of. Grain: one row per cluster. state cleared: from the map of 24 hours before,
-- and the price has reached its densest bin since; kind is support for longs' clusters below, resistance for shorts' clusters
-- above. state uncleared: from the newest map; kind is magnet, because the price may be drawn to it. share: of the side's
-- estimated USD within 20 % in its map. distance, a fraction: uncleared, from the price to the nearest edge; cleared, how far the
-- price has come back from the peak_price, positive above a long's, below a short's. realised_usd, realised_count: what was
-- liquidated of the side at prices inside the cluster in the 24 hours, by feeds of the classes in completeness; a throttled feed
-- sends too little, and a bankruptcy price is off by a maintenance margin. swept: share of the cluster's width traded through.
-- Cleared clusters need all 24 hours of candles; if any is missing, none is called cleared. Nothing at or after the moment is
-- read, except the map made at it. Subject: Signals. Example: FROM zones_at(TIMESTAMP '2026-11-01 12:00:00')
WITH zones_now AS MATERIALIZED (
    FROM levels_at(moment, by_model := 'oi')
), zones_before AS MATERIALIZED (
    FROM levels_at(moment::TIMESTAMP - INTERVAL 24 HOURS, by_model := 'oi')
)
FROM zones_of(moment, 'zones_now', 'zones_before')
