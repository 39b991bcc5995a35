-- funding_arbitrage_current: pairs of venues between which a coin's funding differs, held for a week, at 0.05 % a trade.
-- Reads funding_current, open_interest_current by the macro funding_arbitrage(168, 0.0005, 0), which see for columns, units and
-- other holding times and fees. Grain: one row per base and pair of contracts at two venues; best apr first. None: no row.
FROM funding_arbitrage(168, 0.0005, 0)
