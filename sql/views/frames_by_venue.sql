-- frames_by_venue: per venue, frames received, frames stored, missing, and liquidations.
-- Reads frames_accounted, liquidations. Grain: one row per venue. frames_received: sum of the sessions' highest numbers known;
-- frames: committed to the warehouse; missing must be 0 once ingest has drained. running, killed: sessions in that state.
-- complete: false where it is of one session, null where it is not known of one, else true.
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
        CASE WHEN bool_or(complete IS FALSE) THEN false WHEN bool_and(complete IS NOT NULL) THEN true END AS complete,
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
    a.received_again, a.complete, coalesce(c.liquidations, 0) AS liquidations,
    a.frames_with_rows, a.frames_without_rows, a.frames_dead, a.recv_first, a.recv_last
FROM accounted AS a LEFT JOIN counted AS c USING (venue)
ORDER BY a.venue
