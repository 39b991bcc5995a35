-- liquidation_map: the newest estimated liquidation levels of every coin, by leverage. Estimates, nothing observed.
-- Reads liquidation_levels, levels_score. Grain: one row per base, position_side, leverage and price bin of the newest column of the
-- 48 hours before as_of(). usd_estimated is read as relative; cumulative_usd: of all leverages from the price to this bin and with
-- it, outwards. Long levels are below price_now (the price at ts), short levels above. The score is that of the coin's newest
-- back-test; null: never scored.
WITH newest AS (
    FROM liquidation_levels
    WHERE ts > as_of() - INTERVAL 48 HOURS AND ts <= as_of()
    QUALIFY ts = max(ts) OVER ()
)
SELECT
    l.ts, l.base, l.position_side, l.leverage, l.bin, l.price_low, l.price_high, l.price, l.qty_base_estimated,
    l.usd_estimated,
    sum(l.usd_estimated) OVER (
        PARTITION BY l.base, l.position_side ORDER BY abs(l.distance) RANGE UNBOUNDED PRECEDING) AS cumulative_usd,
    l.price_now, l.distance, l.contracts, l.venues, l.since, l.bars_share, l.weights_from, l.weights_since,
    date_diff('second', l.ts, as_of()) AS age_s,
    s.rank_correlation AS score_rank_correlation, s.top_decile_mass AS score_top_decile_mass,
    s.beats_nulls AS score_beats_nulls, coalesce(s.verdict, 'never scored') AS score_verdict
FROM newest AS l LEFT JOIN levels_score AS s USING (base)
ORDER BY base, l.position_side, abs(l.distance), l.leverage
