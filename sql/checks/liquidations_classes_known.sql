-- liquidations_classes_known: completeness says all, or how the feed is throttled
-- Failure. Table liquidations. Grain: one class of a venue.
SELECT venue, completeness, count(*) AS count FROM liquidations
WHERE ts_event >= $since AND ts_event < $until
    AND completeness NOT IN (
        'all', 'partial', 'undocumented', 'one_per_second', 'one_per_second_latest', 'one_per_second_disputed',
        'one_per_second_largest')
GROUP BY ALL
