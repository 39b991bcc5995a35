-- open_interest_current: the latest open interest of every contract, one side, in coins and USD.
-- Reads open_interest, mark_prices. Grain: one row per venue and symbol heard of in the 24 hours before as_of(). oi_usd is
-- the venue's own where it gives one, else coins times the latest mark price (usd_from says which). sides: what the venue
-- counts; oi_base and oi_usd are one side where that is known.
WITH latest AS (
    SELECT venue, symbol, max_by(o, ts_event) AS row
    FROM open_interest AS o
    WHERE ts > as_of() - INTERVAL 24 HOURS AND ts <= as_of() AND ts_event <= as_of() AND period IS NULL
    GROUP BY venue, symbol
), marks AS (
    SELECT venue, symbol, max_by(mark_price, ts_event) AS mark_price
    FROM mark_prices
    WHERE ts > as_of() - INTERVAL 24 HOURS AND ts <= as_of() AND ts_event <= as_of() AND mark_price IS NOT NULL
    GROUP BY venue, symbol
)
SELECT
    venue,
    symbol,
    row.instrument,
    row.base,
    row.quote,
    row.settle,
    row.contract,
    row.oi_raw,
    row.oi_unit,
    row.sides,
    coalesce(row.oi_base, row.oi_usd / nullif(mark_price, 0)) AS oi_base,
    coalesce(row.oi_usd, row.oi_base * mark_price) AS oi_usd,
    CASE WHEN row.oi_usd IS NOT NULL THEN 'venue' WHEN row.oi_base * mark_price IS NOT NULL THEN 'mark' END AS usd_from,
    mark_price,
    row.ts_event,
    date_diff('second', row.ts_event, as_of()) AS age_s
FROM latest LEFT JOIN marks USING (venue, symbol)
ORDER BY oi_usd DESC NULLS LAST
