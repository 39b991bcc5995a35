-- levels_limits: when a map of estimated levels is STALE, and which price move triggers a new map.
-- Reads nothing: these are our choices. Grain: one row per limit. stale_after: a map is STALE in every view if it, or the newest
-- price of its coin, is older. signals_stale_after: the same for the maps behind signals, which are of the last full hour.
-- price_within: a contract counts for a coin's price now if its last price is at most this much older than the coin's newest.
-- moved: if the price of a large coin moves this far from its map, a new map is made at once. large_coin: a coin with at least
-- this share of all estimated USD is large.
SELECT name, value::DOUBLE AS value, unit, meaning FROM (VALUES
    ('stale_after', 900.0, 's', 'older maps and prices are STALE; a new map is made every five minutes, or sooner'),
    ('signals_stale_after', 5400.0, 's', 'as stale_after, for the map that a signal of the last full hour stands on'),
    ('price_within', 120.0, 's', 'a contract silent for longer than this beside the others does not count for the price now'),
    ('moved', 0.01, 'fraction', 'the price of a large coin has gone so far from its map: a new map is made at once'),
    ('large_coin', 0.01, 'fraction', 'a coin with at least this share of the estimated USD of all coins is large')
) AS v(name, value, unit, meaning)
