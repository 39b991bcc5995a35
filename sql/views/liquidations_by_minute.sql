-- liquidations_by_minute: USD liquidated per minute, coin, venue and position side over the last 24 hours.
-- Reads liquidations_filled_in, feed_coverage. Grain: one row per minute (its start, UTC), base, venue, position_side, from the 24
-- hours before as_of(). A minute without liquidations has no row. unpriced: liquidations without a USD amount, not in usd.
-- completeness: the classes among the rows. coverage_share: share of the minute in which the venue was heard. suspect_share: 1 if
-- the minute is SUSPECT, else 0. saturated_share: of its seconds of a contract with a liquidation, those at the limit of a
-- throttled feed (all contracts). All three are null if the minute is not measured (yet). lower_bound: see lower_bound().
WITH minutes AS (
    SELECT
        time_bucket(INTERVAL 1 MINUTE, ts_event) AS minute,
        base,
        venue,
        position_side,
        coalesce(sum(notional_usd), 0) AS usd,
        count(*) AS count,
        max(notional_usd) AS largest_usd,
        count(*) - count(notional_usd) AS unpriced,
        -- one venue's minute has two at most; an ordered string_agg would take as long as all the rest
        nullif(concat_ws(', ', min(completeness), nullif(max(completeness), min(completeness))), '') AS completeness
    FROM liquidations_filled_in
    WHERE ts_event > as_of() - INTERVAL 24 HOURS AND ts_event <= as_of()
    GROUP BY ALL
), feeds AS (
    SELECT
        venue,
        minute,
        max(heard_share(state, connected_share, repaired)) AS coverage_share,
        min(CASE WHEN repaired OR state IS DISTINCT FROM 'SUSPECT' THEN 0 ELSE 1 END)::DOUBLE AS suspect_share,
        (sum(saturated_seconds) / nullif(sum(contract_seconds), 0))::DOUBLE AS saturated_share
    FROM feed_coverage
    WHERE minute >= as_of() - INTERVAL 1441 MINUTES AND minute <= as_of() AND carries_liquidations
    GROUP BY venue, minute
)
SELECT
    m.*,
    lower_bound(completeness, coverage_share, suspect_share, unpriced) AS lower_bound,
    coverage_share,
    suspect_share,
    saturated_share
FROM minutes AS m LEFT JOIN feeds USING (venue, minute)
ORDER BY minute, base, venue, position_side
