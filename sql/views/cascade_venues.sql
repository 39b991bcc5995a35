-- cascade_venues: what each venue sent of each cascade.
-- Reads cascades. Grain: one row per cascade, venue and completeness class of its feed, of every scope and rule. Filter on
-- ts_start. usd_share: share of the cascade's USD. If completeness is not all, the venue's USD is a lower bound, so shares are of
-- what was sent, not of what happened.
SELECT
    cascade_id,
    ts_start,
    base,
    scope,
    rule_version,
    part.venue AS venue,
    part.completeness AS completeness,
    part.usd AS usd,
    part.usd_long AS usd_long,
    part.usd_short AS usd_short,
    part.count AS count,
    part.usd / nullif(c.usd, 0) AS usd_share
FROM (
    SELECT *, unnest(from_json(by_venue, '[{"venue": "VARCHAR", "completeness": "VARCHAR", "usd": "DOUBLE",
        "usd_long": "DOUBLE", "usd_short": "DOUBLE", "count": "BIGINT"}]')) AS part
    FROM cascades
) AS c
ORDER BY ts_start DESC, cascade_id, usd DESC
