-- funding_arbitrage_current: pairs of venues between which a coin's funding differs, for a position held for a week, with a fee of 0.05 % per trade.
-- Reads funding_current, open_interest_current by the macro funding_arbitrage(168, 0.0005, 0); see there for columns, units, and
-- other holding times and fees. Grain: one row per base and pair of contracts at two venues; best apr first. If there is no such
-- pair, there is no row.
FROM funding_arbitrage(168, 0.0005, 0)
