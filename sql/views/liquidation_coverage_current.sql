-- liquidation_coverage_current: how much of the last 1, 4, 12 and 24 hours each venue's liquidations were listened to.
-- Reads liquidation_coverage. Grain: one row per venue and hours, for venues with a minute measured in that time. coverage_share:
-- time heard / all time. suspect_share: share of all time in which the feed was connected but liquidations may be missing.
-- saturated_share: of the seconds of a contract with a liquidation, those at the limit of a throttled feed; null if there were
-- none. measured_until: later minutes are not measured yet, and are left out. See liquidation_coverage.
SELECT venue, date_diff('hour', since, as_of()) AS hours, coverage_share, suspect_share, saturated_share, measured_until
FROM liquidation_coverage([
    as_of() - INTERVAL 1 HOUR, as_of() - INTERVAL 4 HOURS, as_of() - INTERVAL 12 HOURS, as_of() - INTERVAL 24 HOURS])
ORDER BY venue, hours
