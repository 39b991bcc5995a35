-- frames_by_venue: per venue, frames received, frames stored, missing, and liquidations.
-- Reads frames_accounted, liquidations. Grain: one row per venue. frames_received: sum of the sessions' highest known numbers.
-- frames: stored in the warehouse. missing: must be 0 once ingest has read everything. running, killed: sessions in that state.
-- whole: false if it is false for a session, else null if it is null for one, else true.
WITH accounted AS (
    SELECT
        venue,
        count(*) AS sessions,
        count(*) FILTER (state = 'running') AS running,
        count(*) FILTER (state = 'killed') AS killed,
        sum(highest_seq)::BIGINT AS frames_received,
        sum(frames)::BIGINT AS frames,
        sum(missing)::BIGINT AS missing,
        sum(dropped)::BIGINT AS dropped,
        sum(duplicates)::BIGINT AS duplicates,
        sum(received_again)::BIGINT AS received_again,
        CASE WHEN bool_or(whole IS FALSE) THEN false WHEN bool_and(whole IS NOT NULL) THEN true END AS whole,
        sum(frames_with_rows)::BIGINT AS frames_with_rows,
        sum(frames_without_rows)::BIGINT AS frames_without_rows,
        sum(frames_dead)::BIGINT AS frames_dead,
        min(recv_first) AS recv_first,
        max(recv_last) AS recv_last
    FROM frames_accounted
    GROUP BY venue
), counted AS (
    SELECT venue, count(*) AS liquidations FROM liquidations GROUP BY venue
)
SELECT a.venue, a.sessions, a.running, a.killed, a.frames_received, a.frames, a.missing, a.dropped, a.duplicates,
    a.received_again, a.whole, coalesce(c.liquidations, 0) AS liquidations,
    a.frames_with_rows, a.frames_without_rows, a.frames_dead, a.recv_first, a.recv_last
FROM accounted AS a LEFT JOIN counted AS c USING (venue)
ORDER BY a.venue
