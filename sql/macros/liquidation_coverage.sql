-- liquidation_coverage(starts): how much of the time from each of `starts` until now each venue's liquidations were listened to.
-- Reads feed_coverage. Grain: one row per since (one of the list of TIMESTAMPs) and venue with a minute measured after it.
-- coverage_share: time heard / all time. A minute that another session or an import filled counts as heard. A minute that is
-- SILENT does not, nor does a minute without a row, such as those before the venue was first collected. suspect_share: minutes
-- that are SUSPECT / all minutes. They are in coverage_share too, but liquidations may be missing in them; see
-- feed_coverage.state. saturated_share: of the seconds of a contract with a liquidation, those at the limit of a throttled feed;
-- null if there were none. All shares are of the venue's whole feed, not of one coin. Minutes after measured_until, the same for
-- all venues, are left out, because nothing is known of them yet.
-- Example: FROM liquidation_coverage([as_of() - INTERVAL 3 HOURS, as_of() - INTERVAL 7 DAYS])
WITH minutes AS (
    SELECT
        venue,
        minute,
        max(heard_share(state, connected_share, repaired)) AS heard_share,
        min(CASE WHEN repaired OR state IS DISTINCT FROM 'SUSPECT' THEN 0 ELSE 1 END) AS suspect,
        sum(contract_seconds) AS contract_seconds,
        sum(saturated_seconds) AS saturated_seconds
    FROM feed_coverage
    WHERE minute >= date_trunc('minute', list_min(starts::TIMESTAMP[]))
        AND minute <= as_of() - INTERVAL 1 MINUTE
        AND carries_liquidations
    GROUP BY venue, minute
)
SELECT
    w.since,
    venue,
    sum(heard_share) / (date_diff('minute', date_trunc('minute', w.since), last_minute) + 1) AS coverage_share,
    (sum(suspect) / (date_diff('minute', date_trunc('minute', w.since), last_minute) + 1))::DOUBLE AS suspect_share,
    (sum(saturated_seconds) / nullif(sum(contract_seconds), 0))::DOUBLE AS saturated_share,
    last_minute + INTERVAL 1 MINUTE AS measured_until
FROM minutes
    JOIN (SELECT max(minute) AS last_minute FROM minutes) ON true
    JOIN unnest(starts::TIMESTAMP[]) AS w(since) ON minute >= date_trunc('minute', w.since)
GROUP BY w.since, venue, last_minute
