-- liquidations_by_minute: USD liquidated per minute, coin, venue and position side over the last 24 hours.
-- Reads liquidations_complete. Grain: one row per minute (its start, UTC), base, venue, position_side, from the 24 hours
-- before as_of(); a minute without liquidations has no row. unpriced: liquidations without a USD amount, not in usd.
SELECT
    time_bucket(INTERVAL 1 MINUTE, ts_event) AS minute,
    base,
    venue,
    position_side,
    coalesce(sum(notional_usd), 0) AS usd,
    count(*) AS count,
    max(notional_usd) AS largest_usd,
    count(*) - count(notional_usd) AS unpriced,
    CASE WHEN min(completeness) = max(completeness) THEN min(completeness) ELSE 'mixed' END AS completeness
FROM liquidations_complete
WHERE ts_event > as_of() - INTERVAL 24 HOURS AND ts_event <= as_of()
GROUP BY ALL
ORDER BY minute, base, venue, position_side
