-- open_interest_at(moment, max_age_hours := 1): open interest of every contract at a moment, one side, in coins and USD.
-- Reads open_interest of the max_age_hours before the moment, mark_prices of the hour before it, instruments. Grain: one row per
-- venue and symbol with a value in that time: the latest live one of the last hour, else the latest of all, live or of the venue's
-- history. USD is the venue's own value if it sends one, else coins times the latest mark price (usd_from says which); null if
-- that is not known or the quote is no dollar. The same holds for coins of contracts counted in USD. sides: what the venue counts;
-- both is halved here, undocumented is as sent. oi_raw is as sent.
-- Example: FROM open_interest_at(TIMESTAMP '2026-11-01 12:00:00')
WITH fresh AS MATERIALIZED (
    SELECT
        venue, symbol,
        any_value(instrument) AS instrument, any_value(base) AS base, any_value(quote) AS quote, any_value(settle) AS settle,
        any_value(contract) AS contract, any_value(oi_unit) AS oi_unit, any_value(sides) AS sides,
        max_by({'oi_raw': oi_raw, 'oi_base': oi_base, 'oi_usd': oi_usd, 'ts_event': ts_event}, ts_event) AS row
    FROM open_interest
    WHERE ts > moment::TIMESTAMP - to_seconds(least(max_age_hours, 1) * 3600) AND ts <= moment AND ts_event <= moment AND period IS NULL
    GROUP BY venue, symbol
), silent AS MATERIALIZED (
    -- the others, without a live value in the last hour: few, or none and then their values are not looked for at all
    FROM (
        SELECT DISTINCT venue, symbol FROM open_interest WHERE ts > moment::TIMESTAMP - to_seconds(max_age_hours * 3600) AND ts <= moment
    ) AS h ANTI JOIN fresh AS f ON h.venue = f.venue AND h.symbol = f.symbol
), latest AS (
    FROM fresh
    UNION ALL BY NAME
    SELECT
        o.venue, o.symbol,
        any_value(o.instrument) AS instrument, any_value(o.base) AS base, any_value(o.quote) AS quote, any_value(o.settle) AS settle,
        any_value(o.contract) AS contract, any_value(o.oi_unit) AS oi_unit, any_value(o.sides) AS sides,
        max_by({'oi_raw': o.oi_raw, 'oi_base': o.oi_base, 'oi_usd': o.oi_usd, 'ts_event': o.ts_event},
               epoch_us(o.ts_event) * 2 + (o.period IS NULL)::BIGINT) AS row
    FROM open_interest AS o JOIN silent AS s ON o.venue = s.venue AND o.symbol = s.symbol
    WHERE o.ts > moment::TIMESTAMP - to_seconds(max_age_hours * 3600) AND o.ts <= moment AND o.ts_event <= moment
    GROUP BY o.venue, o.symbol
), marks AS (
    SELECT venue, symbol, arg_max(mark_price, ts_event) AS mark_price
    FROM mark_prices
    WHERE ts > moment::TIMESTAMP - INTERVAL 1 HOUR AND ts <= moment AND ts_event <= moment AND mark_price IS NOT NULL
    GROUP BY venue, symbol
), described AS (
    SELECT
        l.venue, l.symbol, coalesce(l.instrument, i.instrument) AS instrument, coalesce(l.base, i.base) AS base,
        coalesce(l.quote, i.quote) AS quote, coalesce(l.settle, i.settle) AS settle,
        coalesce(l.contract, i.contract) AS contract, l.oi_unit, l.sides, l.row AS row, m.mark_price AS mark_price,
        CASE WHEN list_contains(dollars(), coalesce(l.quote, i.quote)) THEN m.mark_price END AS dollars
    FROM latest AS l
    LEFT JOIN marks AS m ON l.venue = m.venue AND l.symbol = m.symbol
    LEFT JOIN instruments_as_of AS i ON l.venue = i.venue AND l.symbol = i.symbol AND i.is_current
)
SELECT
    d.venue, d.symbol, d.instrument, d.base, d.quote, d.settle, d.contract,
    d.row.oi_raw AS oi_raw, d.oi_unit, d.sides,
    coalesce(d.row.oi_base, d.row.oi_usd / nullif(d.dollars, 0)) AS oi_base,
    coalesce(d.row.oi_usd, d.row.oi_base * d.dollars) AS oi_usd,
    CASE WHEN d.row.oi_usd IS NOT NULL THEN 'venue' WHEN d.row.oi_base * d.dollars IS NOT NULL THEN 'mark' END AS usd_from,
    d.mark_price, d.row.ts_event AS ts_event, date_diff('second', d.row.ts_event, moment::TIMESTAMP) AS age_s
FROM described AS d
