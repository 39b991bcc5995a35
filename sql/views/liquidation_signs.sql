-- liquidation_signs: what the sign of a feed that leaves the side open turned out to mean, by its venue's reports of the same ones.
-- Reads liquidations, liquidation_reports. Grain: one row per venue whose feed left sides open in the 30 days before as_of().
-- matched: rows with reports of the same contract and quantity within two seconds that agree on a side; negative_is_long,
-- negative_is_short: of them, those whose sign says so. meaning: order (negative sells, a long is closed) or position (negative is
-- a short), once a hundred rows matched and 98 in a hundred agree; null before.
WITH left_open AS (
    SELECT venue, symbol, ts_event, event_key, occurrence, qty_raw, contains(null_reason, 'sent -') AS is_negative
    FROM liquidations
    WHERE position_side IS NULL AND ts_event > as_of() - INTERVAL 30 DAYS AND ts_event <= as_of()
), sided AS (
    SELECT l.venue, l.ts_event, l.event_key, l.occurrence, l.is_negative, min(r.position_side) AS side
    FROM left_open AS l
    JOIN liquidation_reports AS r ON l.venue = r.venue AND l.symbol = r.symbol AND l.qty_raw = r.qty_raw
        AND r.ts_event BETWEEN l.ts_event - INTERVAL 2 SECONDS AND l.ts_event + INTERVAL 2 SECONDS
    GROUP BY ALL
    HAVING min(r.position_side) = max(r.position_side)
), counted AS (
    SELECT venue, count(*) AS matched,
        count(*) FILTER (is_negative = (side = 'long')) AS negative_is_long,
        count(*) FILTER (is_negative = (side = 'short')) AS negative_is_short
    FROM sided GROUP BY venue
)
SELECT
    venue,
    count(*) AS left_open,
    coalesce(any_value(matched), 0) AS matched,
    coalesce(any_value(negative_is_long), 0) AS negative_is_long,
    coalesce(any_value(negative_is_short), 0) AS negative_is_short,
    CASE WHEN any_value(matched) >= 100 AND any_value(negative_is_long) >= 0.98 * any_value(matched) THEN 'order'
        WHEN any_value(matched) >= 100 AND any_value(negative_is_short) >= 0.98 * any_value(matched) THEN 'position' END AS meaning
FROM left_open LEFT JOIN counted USING (venue)
GROUP BY venue
ORDER BY venue
