-- frames_by_venue: per venue, frames received, frames stored, missing, and liquidations.
-- Reads frames_accounted, liquidations. Grain: one row per venue. frames_received: sum of the sessions' highest numbers;
-- frames: committed to the warehouse; missing must be 0 once ingest has drained.
WITH accounted AS (
    SELECT
        venue,
        count(*) AS sessions,
        sum(highest_seq)::BIGINT AS frames_received,
        sum(frames)::BIGINT AS frames,
        sum(missing)::BIGINT AS missing,
        sum(duplicates)::BIGINT AS duplicates,
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
SELECT a.venue, a.sessions, a.frames_received, a.frames, a.missing, a.duplicates,
    coalesce(c.liquidations, 0) AS liquidations,
    a.frames_with_rows, a.frames_without_rows, a.frames_dead, a.recv_first, a.recv_last
FROM accounted AS a LEFT JOIN counted AS c USING (venue)
ORDER BY a.venue
