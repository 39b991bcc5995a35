-- liquidation_heatmap: estimated liquidation levels over time: one column per time, one row per price bin. Estimates, nothing observed.
-- Reads liquidation_levels, levels_reach, levels_model, levels_score, measured_levels. Grain: one row per ts, base, position_side and price bin; hourly for 30
-- days, daily before that, and the newest column. Filter on ts and base. Older columns are as they were at ts. From the newest
-- column of the last 48 hours, what the price has passed since is left out. usd_estimated: compare values with each other, do not
-- take them as absolute. share: of the coin's column. Long levels are below price_then (the price at ts; distance is from it),
-- short levels above. age_s: of the column. freshness: FRESH or STALE for the newest column, PAST for older ones. The score is
-- from the coin's newest back-test; null if there is none. model: reach or oi, the one that levels_model shows now, for all times.
-- usd_measured, accounts_measured: not estimated, but what known accounts have in the bin at ts, as their venue says; null where
-- nobody's is known. They are a part of all positions (measured_oi_share), in bins of their own too: see measured_levels.
SELECT
    l.ts, l.base, any_value(coalesce(l.model, 'oi')) AS model, l.position_side, l.bin,
    any_value(l.price_low) AS price_low, any_value(l.price_high) AS price_high, any_value(l.price) AS price,
    sum(l.usd_estimated) AS usd_estimated,
    sum(l.usd_estimated) / sum(sum(l.usd_estimated)) OVER (PARTITION BY l.ts, l.base) AS share,
    any_value(l.price_now) AS price_then, any_value(l.distance) AS distance,
    coalesce(any_value(r.freshness), 'PAST') AS freshness, date_diff('second', l.ts, as_of()) AS age_s,
    any_value(l.venues) AS venues, any_value(l.since) AS since, any_value(l.bars_share) AS bars_share,
    any_value(l.weights_from) AS weights_from,
    any_value(m.usd) AS usd_measured, any_value(m.accounts) AS accounts_measured, any_value(m.oi_share) AS measured_oi_share,
    any_value(s.rank_correlation) AS score_rank_correlation, any_value(s.top_decile_mass) AS score_top_decile_mass,
    any_value(s.beats_nulls) AS score_beats_nulls, coalesce(any_value(s.verdict), 'never scored') AS score_verdict
FROM liquidation_levels AS l
LEFT JOIN levels_reach(as_of(), max_age_hours := 48) AS r ON l.base = r.base AND l.ts = r.ts
LEFT JOIN levels_model(as_of()) AS d ON l.base = d.base AND d.rank = 1
LEFT JOIN levels_score AS s ON l.base = s.base
LEFT JOIN (
    SELECT ts, base, position_side, bin, sum(usd) AS usd, sum(accounts)::BIGINT AS accounts, avg(oi_share) AS oi_share
    FROM measured_levels GROUP BY ts, base, position_side, bin
) AS m ON l.ts = m.ts AND l.base = m.base AND l.position_side = m.position_side AND l.bin = m.bin
WHERE l.ts <= as_of() AND coalesce(l.model, 'oi') = coalesce(d.model, 'oi') AND (r.ts IS NULL OR NOT level_passed(l.position_side, l.price_low, l.price_high, r.low, r.high))
GROUP BY l.ts, l.base, l.position_side, l.bin
