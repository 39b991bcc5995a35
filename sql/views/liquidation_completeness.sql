-- liquidation_completeness: how much of the last 1, 4, 12 and 24 hours each venue's liquidations were listened to.
-- Reads liquidation_coverage. Grain: one row per venue and hours, for venues with a minute measured in that time.
-- coverage_share: time heard / all time; suspect_share: of all time, that in which liquidations may be missing though the feed was
-- connected; saturated_share: of the seconds of a contract with a liquidation, those at the limit of a throttled feed, null where
-- there were none. measured_until: later minutes are not measured yet, and left out. See liquidation_coverage.
SELECT venue, date_diff('hour', since, as_of()) AS hours, coverage_share, suspect_share, saturated_share, measured_until
FROM liquidation_coverage([
    as_of() - INTERVAL 1 HOUR, as_of() - INTERVAL 4 HOURS, as_of() - INTERVAL 12 HOURS, as_of() - INTERVAL 24 HOURS])
ORDER BY venue, hours
