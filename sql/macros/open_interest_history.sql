-- open_interest_history(coin, length, since := ''): open interest of one coin over all venues.
-- Reads open_interest_1h and prices_1h (hours that are over), from since on ('': the last 300 bars, including the running one).
-- Grain: one row per bar. length: whole hours or days, UTC; others are an error. The value of a contract is its last one in the
-- bar, one side. If the venue then sends only coins or only USD (Bybit's history), the other is computed with the last trade price
-- of that hour; contracts_priced counts these contracts. The sum is over the contracts with both; contracts and venues describe
-- them. A contract that appears or disappears makes a step that is not a real change. sides as in open_interest_by_coin. There is
-- no high and low of a bar, because contracts do not reach theirs at the same time (open_interest_bars has them per contract).
-- Example: FROM open_interest_history('BTC', '1d', '2026-01-01')
WITH hours AS (
    SELECT
        h.hour, h.venue, h.symbol, h.contract, h.sides,
        coalesce(h.close_base, h.close_usd / nullif(price, 0)) AS oi_base, coalesce(h.close_usd, h.close_base * price) AS oi_usd,
        h.close_base IS NULL OR h.close_usd IS NULL AS priced
    FROM open_interest_1h AS h
    LEFT JOIN instruments_as_of AS i ON h.venue = i.venue AND h.symbol = i.symbol AND i.is_current
    LEFT JOIN (SELECT * FROM prices_1h WHERE hour >= first_bar(length, since)) AS p ON h.venue = p.venue AND h.symbol = p.symbol AND h.hour = p.hour
    CROSS JOIN LATERAL (
        SELECT CASE WHEN list_contains(dollars(), coalesce(h.quote, i.quote)) THEN p."close" / i.multiplier END AS price
    )
    WHERE h.hour >= first_bar(length, since)
        AND h.hour <= as_of() - INTERVAL 1 HOUR AND h.base = coin AND known_coin(coin)
        AND CASE WHEN epoch(length::INTERVAL) % 3600 = 0 THEN true ELSE error('length is of whole hours, as the hour is the finest stored')::BOOLEAN END
), contracts AS (
    SELECT
        time_bucket(length::INTERVAL, h.hour) AS start, h.venue, h.symbol, any_value(h.contract) AS contract,
        arg_max(h.sides, h.hour) AS sides, max_by({'base': h.oi_base, 'usd': h.oi_usd, 'priced': h.priced}, h.hour) AS row
    FROM hours AS h
    GROUP BY time_bucket(length::INTERVAL, h.hour), h.venue, h.symbol
)
SELECT
    k.start AS bar, coin AS base, sum(k.row.usd) AS oi_usd, sum(k.row.base) AS oi_base,
    sum(k.row.usd) FILTER (k.contract = 'linear') AS linear_usd, sum(k.row.usd) FILTER (k.contract = 'inverse') AS inverse_usd,
    string_agg(DISTINCT k.sides, ', ' ORDER BY k.sides) AS sides, string_agg(DISTINCT k.venue, ', ' ORDER BY k.venue) AS venues,
    count(*) AS contracts, count(*) FILTER (k.row.priced) AS contracts_priced, k.start + length::INTERVAL <= as_of() AS closed
FROM contracts AS k
WHERE k.row.usd IS NOT NULL AND k.row.base IS NOT NULL
GROUP BY k.start
ORDER BY k.start
