-- liquidations_against_aggregated: what a vendor says was liquidated in a period, beside the sum of what venues sent us.
-- Reads liquidations_aggregated, liquidations_1m. Grain: one row per venue, provider, symbol and period of the 30 days before
-- as_of(), of coins in USD whose period is known. usd_aggregated: the vendor's figure. usd: our sum, of all venues or of the one
-- the row is of, 0 where we have none. share: usd / usd_aggregated, null where the vendor says 0. venues: those in our sum. Above 1
-- the vendor lacks some; below 1 we lack venues or hours, or the vendor estimates what a throttled feed leaves out: nobody knows.
WITH theirs AS (
    SELECT
        venue, provider, symbol, base, ts_event, period, side AS position_side, usd AS usd_aggregated,
        ts_event + to_seconds(
            CASE period[-1:] WHEN 'm' THEN 60 WHEN 'h' THEN 3600 WHEN 'd' THEN 86400 END * TRY_CAST(period[:-2] AS BIGINT)
        ) AS until
    FROM (
        SELECT *, unnest([{side: 'long', usd: long_usd}, {side: 'short', usd: short_usd}], recursive := true)
        FROM liquidations_aggregated WHERE ts_event > as_of() - INTERVAL 30 DAYS AND ts_event <= as_of()
    )
    WHERE symbol = base AND usd IS NOT NULL AND period <> 'unknown'
), ours AS (
    SELECT
        t.venue, t.provider, t.symbol, t.ts_event, t.period, t.position_side,
        sum(m.usd) AS usd, string_agg(DISTINCT m.venue, ', ' ORDER BY m.venue) AS venues
    FROM theirs AS t
    JOIN liquidations_1m AS m
        ON m.base = t.base AND m.position_side = t.position_side AND m.minute >= t.ts_event AND m.minute < t.until
        AND (t.venue = 'aggregated' OR m.venue = t.venue)
    WHERE m.minute > as_of() - INTERVAL 30 DAYS AND m.minute < as_of() + INTERVAL 1 DAY
    GROUP BY ALL
)
SELECT
    t.venue, t.provider, t.symbol, t.ts_event, t.period, t.position_side, t.usd_aggregated, coalesce(o.usd, 0) AS usd,
    coalesce(o.usd, 0) / nullif(t.usd_aggregated, 0) AS share, o.venues
FROM theirs AS t
LEFT JOIN ours AS o USING (venue, provider, symbol, ts_event, period, position_side)
ORDER BY t.ts_event DESC, t.venue, t.provider, t.symbol, t.period, t.position_side
