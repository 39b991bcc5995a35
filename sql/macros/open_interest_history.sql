-- open_interest_history(coin, length, since := ''): open interest of one coin over all venues.
-- Reads open_interest_1h (hours that are over), from since on ('': the last 300 bars, the running one among them). Grain: one row per
-- bar; length: whole hours or days, UTC; others are an error. The value of a contract is its last one in the bar, one side; a bar's sum is over the contracts with USD and coins in it, and contracts and venues
-- say which, so that a step by a venue coming or going shows. sides as in open_interest_by_coin. Extremes inside a bar are not
-- given: contracts do not reach theirs at one time (open_interest_bars has each one's).
-- Example: FROM open_interest_history('BTC', '1d', '2026-01-01')
WITH contracts AS (
    SELECT
        time_bucket(length::INTERVAL, h.hour) AS start, h.venue, h.symbol, any_value(h.contract) AS contract,
        arg_max(h.sides, h.hour) AS sides, arg_max(h.close_base, h.hour) AS oi_base, arg_max(h.close_usd, h.hour) AS oi_usd
    FROM open_interest_1h AS h
    WHERE h.hour >= first_bar(length, since)
        AND h.hour <= as_of() - INTERVAL 1 HOUR AND h.base = coin AND known_coin(coin)
        AND CASE WHEN epoch(length::INTERVAL) % 3600 = 0 THEN true ELSE error('length is of whole hours, as the hour is the finest stored')::BOOLEAN END
    GROUP BY time_bucket(length::INTERVAL, h.hour), h.venue, h.symbol
)
SELECT
    k.start AS bar, coin AS base, sum(k.oi_usd) AS oi_usd, sum(k.oi_base) AS oi_base,
    sum(k.oi_usd) FILTER (k.contract = 'linear') AS linear_usd, sum(k.oi_usd) FILTER (k.contract = 'inverse') AS inverse_usd,
    string_agg(DISTINCT k.sides, ', ' ORDER BY k.sides) AS sides, string_agg(DISTINCT k.venue, ', ' ORDER BY k.venue) AS venues,
    count(*) AS contracts, k.start + length::INTERVAL <= as_of() AS closed
FROM contracts AS k
WHERE k.oi_usd IS NOT NULL AND k.oi_base IS NOT NULL
GROUP BY k.start
ORDER BY k.start
