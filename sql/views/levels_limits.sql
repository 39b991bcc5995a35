-- levels_limits: when a map of estimated levels counts as old, and what move of the market asks for a new one.
-- Reads nothing: these are our choices. Grain: one row per limit. stale_after: a map, or the newest price of its coin, that is older
-- is STALE in every view; signals_stale_after: the same of what signals stand on, which are of the last full hour. price_within: a contract counts for a coin's price now if its last price is at most so much older than the
-- coin's newest. moved: how far the price of a large coin must have gone from its map for a new one to be made at once; large_coin: of
-- all estimated USD, what makes a coin large.
SELECT name, value::DOUBLE AS value, unit, meaning FROM (VALUES
    ('stale_after', 900.0, 's', 'older maps and prices are STALE; a new map is made every five minutes, or sooner'),
    ('signals_stale_after', 5400.0, 's', 'as stale_after, for the map that a signal of the last full hour stands on'),
    ('price_within', 120.0, 's', 'a contract silent for longer than this beside the others does not count for the price now'),
    ('moved', 0.01, 'fraction', 'the price of a large coin has gone so far from its map: a new map is made at once'),
    ('large_coin', 0.01, 'fraction', 'a coin with at least this share of the estimated USD of all coins is large')
) AS v(name, value, unit, meaning)
