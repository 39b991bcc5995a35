-- audit_last: the last result of each check, and since when it has been so.
-- Reads audit_results. Grain: one check of sql/checks that was run in the 30 days before as_of(). result: ok, failure or warning.
-- since: the first run with this result without another result in between, within those 30 days. first_offenders: JSON. "table" is
-- a keyword in SQL: write it in quotes.
WITH runs AS (
    SELECT *, CASE WHEN offenders = 0 THEN 'ok' ELSE severity END AS result FROM audit_results
    WHERE ts > as_of() - INTERVAL 30 DAYS AND ts <= as_of()
), last AS (
    SELECT name, max_by(r, ts) AS row FROM runs AS r GROUP BY name
), other AS (
    SELECT r.name, max(r.ts) AS ts FROM runs AS r JOIN last USING (name) WHERE r.result <> last.row.result GROUP BY r.name
), so AS (
    SELECT r.name, min(r.ts) AS ts FROM runs AS r LEFT JOIN other USING (name)
    WHERE other.ts IS NULL OR r.ts > other.ts GROUP BY r.name
)
SELECT
    name,
    row."table",
    row.result,
    row.offenders,
    row.meaning,
    so.ts AS since,
    row.ts AS ts,
    row.since AS looked_since,
    row.until AS looked_until,
    row.first_offenders,
    row.seconds
FROM last JOIN so USING (name)
ORDER BY array_position(['failure', 'warning', 'ok'], row.result), name
