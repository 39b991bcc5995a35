-- liquidation_totals: USD liquidated per coin, venue and position side over the last 1, 4, 12 and 24 hours.
-- Reads liquidations_filled_in, liquidation_coverage_current. Grain: one row per base, venue, position_side (long, short) and
-- hours (1, 4, 12, 24, counted back from as_of()): sum over sides, never over hours. For both sides in one row: _by_coin,
-- _by_venue, _overall, totals(hours). usd: sum of notional_usd; complete_usd: the part from complete feeds. count: liquidations;
-- unpriced of them have no USD amount and are not in usd. largest_usd: the largest one. base: the coin (PEPE for 1000PEPEUSDT),
-- null if the contract is not known. completeness: the classes among the rows. lower_bound: the real total may be higher; see
-- lower_bound(). coverage_share, suspect_share, saturated_share: of the venue; see liquidation_coverage_current.
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
    FROM liquidations_filled_in
    WHERE ts_event > as_of() - INTERVAL 24 HOURS AND ts_event <= as_of()
    GROUP BY ALL
), totals AS (
    SELECT
        base,
        venue,
        position_side,
        w.hours,
        coalesce(sum(usd), 0) AS usd,
        sum(count)::BIGINT AS count,
        max(largest_usd) AS largest_usd,
        (sum(count) - sum(priced))::BIGINT AS unpriced,
        classes(completeness) AS completeness,
        coalesce(sum(usd) FILTER (completeness = 'all'), 0) AS complete_usd
    FROM parts JOIN (VALUES (1), (4), (12), (24)) AS w(hours) ON parts.age_hours <= w.hours
    GROUP BY base, venue, position_side, w.hours
)
SELECT
    t.*,
    lower_bound(t.completeness, c.coverage_share, c.suspect_share, t.unpriced) AS lower_bound,
    c.coverage_share,
    c.suspect_share,
    c.saturated_share
FROM totals AS t LEFT JOIN liquidation_coverage_current AS c USING (venue, hours)
ORDER BY hours, usd DESC
