-- taker_ratio: volume that takers bought and sold, over the last 1, 4 and 24 hours, and the ratio of the two.
-- Reads long_short_ratios (kind taker), instruments. Grain: one row per venue, symbol and hours (1, 4, 24) with a closed period
-- wholly in it. If a venue sends periods of several lengths, the shortest is used. buy_volume and sell_volume are in unit (base,
-- contract, usd), which differs by venue, so compare only the ratios: ratio = buy / sell, null if nothing was sold; buy_share =
-- buy / (buy + sell). periods: how many of the periods_due there are; periods_due is null if the length is not known. A period
-- that was still running when it was last heard is left out.
WITH closed_ones AS (
    SELECT
        venue, symbol, instrument, base, unit, long_volume, short_volume, ts_event, period,
        try_cast(period AS INTERVAL) AS length,
        try_cast(period AS INTERVAL) = min(try_cast(period AS INTERVAL)) OVER (PARTITION BY venue, symbol) AS is_shortest
    FROM long_short_ratios
    WHERE ts_event >= as_of() - INTERVAL 24 HOURS AND ts_event <= as_of() AND kind = 'taker' AND closed
)
SELECT
    c.venue, c.symbol, w.hours, coalesce(any_value(c.instrument), any_value(i.instrument)) AS instrument,
    coalesce(any_value(c.base), any_value(i.base)) AS base, any_value(c.period) AS period,
    sum(c.long_volume) AS buy_volume, sum(c.short_volume) AS sell_volume, any_value(c.unit) AS unit,
    sum(c.long_volume) / nullif(sum(c.short_volume), 0) AS ratio,
    sum(c.long_volume) / nullif(sum(c.long_volume) + sum(c.short_volume), 0) AS buy_share,
    count(*) AS periods, (w.hours * 3600 / epoch(any_value(c.length)))::BIGINT AS periods_due, max(c.ts_event) AS last_ts
FROM closed_ones AS c
JOIN (VALUES (1), (4), (24)) AS w(hours)
    ON c.ts_event >= as_of() - to_hours(w.hours) AND c.ts_event + c.length <= as_of()
LEFT JOIN instruments_as_of AS i ON c.venue = i.venue AND c.symbol = i.symbol AND i.is_current
WHERE c.is_shortest
GROUP BY c.venue, c.symbol, w.hours
ORDER BY w.hours, base, c.venue, c.symbol
