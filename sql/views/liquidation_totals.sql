-- liquidation_totals: USD liquidated per coin, venue and position side over the last 1, 4, 12 and 24 hours.
-- Reads liquidations_complete. Grain: one row per base, venue, position_side and hours (1, 4, 12, 24, counted back from
-- as_of()). usd: sum of notional_usd; count: liquidations, of which unpriced have no USD amount and are not in usd;
-- largest_usd: the largest one. completeness says how far to trust it: all, or a lower bound where the feed is throttled.
WITH parts AS (
    SELECT
        base, venue, position_side, completeness,
        CASE
            WHEN ts_event > as_of() - INTERVAL 1 HOUR THEN 1
            WHEN ts_event > as_of() - INTERVAL 4 HOURS THEN 4
            WHEN ts_event > as_of() - INTERVAL 12 HOURS THEN 12
            ELSE 24
        END AS age_hours,
        sum(notional_usd) AS usd,
        count(*) AS count,
        count(notional_usd) AS priced,
        max(notional_usd) AS largest_usd
    FROM liquidations_complete
    WHERE ts_event > as_of() - INTERVAL 24 HOURS AND ts_event <= as_of()
    GROUP BY ALL
)
SELECT
    base,
    venue,
    position_side,
    w.hours,
    coalesce(sum(usd), 0) AS usd,
    sum(count)::BIGINT AS count,
    max(largest_usd) AS largest_usd,
    (sum(count) - sum(priced))::BIGINT AS unpriced,
    string_agg(DISTINCT completeness, ', ' ORDER BY completeness) AS completeness
FROM parts JOIN (VALUES (1), (4), (12), (24)) AS w(hours) ON parts.age_hours <= w.hours
GROUP BY base, venue, position_side, w.hours
ORDER BY w.hours, usd DESC
