-- liquidation_heatmap: estimated liquidation levels over time: a column a time, a price bin a row. Estimates, nothing observed.
-- Reads liquidation_levels, levels_reach, levels_score. Grain: one row per ts, base, position_side and price bin; hourly for 30 days,
-- daily before, and the newest state. Filter on ts and base. Columns before the newest are as they stood at ts; of the newest of the
-- last 48 hours what the price has passed since is left out. usd_estimated is read as relative; share: of the coin's column. Long
-- levels are below price_then (the price at ts; distance is from it), short levels above. age_s: of the column; freshness: FRESH or
-- STALE of the newest, PAST of those before. The score is that of the coin's newest back-test; null: never scored.
SELECT
    l.ts, l.base, l.position_side, l.bin,
    any_value(l.price_low) AS price_low, any_value(l.price_high) AS price_high, any_value(l.price) AS price,
    sum(l.usd_estimated) AS usd_estimated,
    sum(l.usd_estimated) / sum(sum(l.usd_estimated)) OVER (PARTITION BY l.ts, l.base) AS share,
    any_value(l.price_now) AS price_then, any_value(l.distance) AS distance,
    coalesce(any_value(r.freshness), 'PAST') AS freshness, date_diff('second', l.ts, as_of()) AS age_s,
    any_value(l.venues) AS venues, any_value(l.since) AS since, any_value(l.bars_share) AS bars_share,
    any_value(l.weights_from) AS weights_from,
    any_value(s.rank_correlation) AS score_rank_correlation, any_value(s.top_decile_mass) AS score_top_decile_mass,
    any_value(s.beats_nulls) AS score_beats_nulls, coalesce(any_value(s.verdict), 'never scored') AS score_verdict
FROM liquidation_levels AS l
LEFT JOIN levels_reach(as_of(), max_age_hours := 48) AS r ON l.base = r.base AND l.ts = r.ts
LEFT JOIN levels_score AS s ON l.base = s.base
WHERE l.ts <= as_of() AND (r.ts IS NULL OR NOT level_passed(l.position_side, l.price_low, l.price_high, r.low, r.high))
GROUP BY l.ts, l.base, l.position_side, l.bin
