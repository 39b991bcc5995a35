-- feed(min_usd, times_normal, floor_usd := 1000, hours := 24): liquidations that are large, in USD or for their coin.
-- Reads liquidations_filled_in, liquidations_1h, liquidation_coverage. Grain: one liquidation, the latest first. It returns
-- liquidations of at least min_usd, and those of at least times_normal times normal_usd and at least floor_usd; NULL switches a
-- threshold off. normal_usd: the coin's mean liquidation at the same venue and class of feed over the seven days before, from
-- whole hours. A throttled feed chooses which liquidations it sends, so its mean cannot be compared with another feed's. Null if
-- the coin had none there. times_normal: usd / normal_usd. usd is quantity times price; price_kind says which price. completeness:
-- of its feed. coverage_share, suspect_share and saturated_share: of its venue over the window; what is not here may still have
-- happened. occurrence: 0, or 1, 2... for further ones that are equal in everything that the venue sent. Liquidations without a
-- USD amount are never here; the totals count them.
-- Example: FROM feed(1000000, NULL, hours := 4)
WITH normal AS (
    SELECT base, venue, completeness, sum(usd) / nullif(sum(count) - sum(unpriced), 0) AS normal_usd
    FROM liquidations_1h
    WHERE hour >= as_of() - INTERVAL 7 DAYS AND hour <= as_of() - INTERVAL 1 HOUR
    GROUP BY base, venue, completeness
)
SELECT
    l.ts_event,
    l.venue,
    l.symbol,
    l.instrument,
    l.base,
    l.position_side,
    l.notional_usd AS usd,
    n.normal_usd,
    l.notional_usd / n.normal_usd AS times_normal,
    l.qty_base,
    l.price,
    l.price_kind,
    l.completeness,
    c.coverage_share,
    c.suspect_share,
    c.saturated_share,
    date_diff('second', l.ts_event, as_of()) AS age_s,
    l.occurrence
FROM liquidations_filled_in AS l
    LEFT JOIN normal AS n ON l.base = n.base AND l.venue = n.venue AND l.completeness = n.completeness
    LEFT JOIN liquidation_coverage([as_of() - to_seconds(hours * 3600)]) AS c ON l.venue = c.venue
WHERE l.ts_event > as_of() - to_seconds(hours * 3600)
    AND l.ts_event <= as_of()
    AND (l.notional_usd >= min_usd OR (l.notional_usd >= floor_usd AND l.notional_usd >= times_normal * n.normal_usd))
ORDER BY l.ts_event DESC, usd DESC, l.occurrence
