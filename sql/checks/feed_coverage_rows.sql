-- feed_coverage_rows: the liquidations counted for a venue's feeds are those stored
-- Failure. Table feed_coverage. Minutes that got rows after the time are left out. Grain: one minute of one venue. Rows of class
-- undocumented may be those of a channel that is polled beside the feed, so they may be counted or not.
WITH told AS (
    SELECT venue, minute, sum(rows)::BIGINT AS rows FROM feed_coverage
    WHERE minute >= $since AND minute < $until AND carries_liquidations GROUP BY ALL
), stored AS (
    SELECT venue, date_trunc('minute', ts_event) AS minute, count(*) AS rows, max(ts_recv) AS last,
        count(*) FILTER (completeness <> 'undocumented') AS known
    FROM liquidations
    WHERE ts_event >= $since AND ts_event < $until AND source = 'live' GROUP BY ALL
)
SELECT venue, minute, told.rows AS told, coalesce(stored.rows, 0) AS stored FROM told LEFT JOIN stored USING (venue, minute)
WHERE told.rows NOT BETWEEN coalesce(stored.known, 0) AND coalesce(stored.rows, 0) AND coalesce(stored.last < $until, true)
