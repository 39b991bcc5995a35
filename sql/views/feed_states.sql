-- feed_states: whether each venue's liquidation channels are heard now: LIVE, SUSPECT or SILENT, since when, and why not.
-- Reads feed_coverage, collector_events. Grain: one row per venue and liquidation channel with a minute in the seven days before
-- as_of(). state: of the last measured minute. LIVE: it was heard. SUSPECT: it was connected, and silent for so long that this is
-- unlikely if the channel works (silence_likelihood). SILENT: so unlikely that it counts as not heard, or nobody listens. If a
-- collector has reported a silent socket since then, and no data since, the state is SILENT at once; SUSPECT if the collector
-- found the channel suspect. since: start of the minutes with this state, or the time of the collector's report. last_heard: start
-- of the last minute with a liquidation. measured_until: of later minutes only the collector's reports are known; if it is far
-- behind as_of(), nothing updates feed_coverage.
WITH minutes AS (
    SELECT venue, channel, minute, state, state_reason, silence_likelihood, connected_share, rows
    FROM feed_coverage
    WHERE minute > as_of() - INTERVAL 7 DAYS AND minute <= as_of() AND carries_liquidations AND state IS NOT NULL
), now AS (
    SELECT venue, channel, max_by(m, minute) AS last, max(minute) FILTER (rows > 0) AS last_heard,
        max(minute) FILTER (connected_share = 1) AS whole, min(minute) AS first
    FROM minutes AS m GROUP BY venue, channel
), other AS (
    SELECT n.venue, n.channel, max(m.minute) AS minute
    FROM now AS n JOIN minutes AS m ON m.venue = n.venue AND m.channel = n.channel AND m.state <> n.last.state
    GROUP BY ALL
), told AS (
    SELECT venue, event, ts, reason, feed,
        detail ->> '$.channel' AS channel, from_json(detail -> '$.channels', '[{"channel": "VARCHAR", "topic": "VARCHAR"}]') AS channels
    FROM collector_events
    WHERE ts > as_of() - INTERVAL 1 HOUR AND ts <= as_of() AND event IN ('silent', 'resumed', 'suspect', 'heard_again')
), silent AS (
    SELECT venue, feed, max(ts) AS ts, max_by(reason, ts) AS reason, unnest(max_by(channels, ts)).channel AS channel
    FROM told WHERE event = 'silent' GROUP BY venue, feed
), deaf AS (
    SELECT s.venue, s.channel, min(s.ts) AS ts, min_by(s.reason, s.ts) AS reason
    FROM silent AS s LEFT JOIN told AS t ON t.venue = s.venue AND t.feed = s.feed AND t.event = 'resumed' AND t.ts > s.ts
    WHERE t.ts IS NULL GROUP BY ALL
), suspect AS (
    SELECT venue, channel, max(ts) AS ts, max_by(reason, ts) AS reason FROM told WHERE event IN ('suspect', 'heard_again')
    GROUP BY ALL HAVING max_by(event, ts) = 'suspect'
)
SELECT
    n.venue,
    n.channel,
    CASE WHEN d.ts IS NOT NULL THEN 'SILENT' WHEN s.ts IS NOT NULL AND n.last.state = 'LIVE' THEN 'SUSPECT' ELSE n.last.state END
        AS state,
    CASE WHEN n.last.state <> 'LIVE' OR (d.ts IS NULL AND s.ts IS NULL)
        THEN coalesce(o.minute + INTERVAL 1 MINUTE, n.first) ELSE coalesce(d.ts, s.ts) END AS since,
    CASE WHEN d.ts IS NOT NULL THEN 'silent: ' || d.reason ELSE coalesce(n.last.state_reason, s.reason) END AS reason,
    n.last.silence_likelihood AS silence_likelihood,
    n.last_heard,
    n.last.minute + INTERVAL 1 MINUTE AS measured_until
FROM now AS n
    LEFT JOIN other AS o ON n.venue = o.venue AND n.channel = o.channel
    LEFT JOIN deaf AS d ON n.venue = d.venue AND n.channel = d.channel AND d.ts >= coalesce(n.whole, d.ts)
    LEFT JOIN suspect AS s ON n.venue = s.venue AND n.channel = s.channel AND s.ts >= n.last.minute
ORDER BY array_position(['SILENT', 'SUSPECT', 'LIVE'], state), n.venue, n.channel
