-- leverage_tiers_sane: the steps of a margin table follow on each other, with rates that are fractions
-- Failure. Table leverage_tiers. All of them, not of the time only. Grain: one step.
SELECT venue, symbol, valid_from, tier, floor, cap, maintenance_margin_rate, lead(floor) OVER steps AS next_floor
FROM leverage_tiers
WINDOW steps AS (PARTITION BY venue, symbol, valid_from ORDER BY tier)
QUALIFY cap < floor OR cap > next_floor OR maintenance_margin_rate NOT BETWEEN 0 AND 1
