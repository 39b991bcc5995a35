-- open_interest_by_coin: open interest of every coin over all venues, in USD and coins.
-- Reads open_interest_current. Grain: one row per base. Open interest is one side; sides says how the venues count (both: halved
-- here; undocumented: as sent). venues: those in the sums. venues_left_out: venues with a contract that is not in the sums,
-- because its value is more than an hour old (contracts_stale) or has no USD (contracts_unpriced); a venue that was silent for 24
-- hours is not named. oi_usd is null if no contract is in the sum; oi_base sums the same contracts. share: of all coins' USD.
SELECT
    base,
    sum(oi_usd) FILTER (NOT stale) AS oi_usd,
    sum(oi_base) FILTER (NOT stale AND oi_usd IS NOT NULL) AS oi_base,
    sum(oi_usd) FILTER (NOT stale) / nullif(sum(sum(oi_usd) FILTER (NOT stale)) OVER (), 0) AS share,
    string_agg(DISTINCT sides, ', ' ORDER BY sides) FILTER (NOT stale AND oi_usd IS NOT NULL) AS sides,
    string_agg(DISTINCT venue, ', ' ORDER BY venue) FILTER (NOT stale AND oi_usd IS NOT NULL) AS venues,
    string_agg(DISTINCT venue, ', ' ORDER BY venue) FILTER (stale OR oi_usd IS NULL) AS venues_left_out,
    count(*) FILTER (NOT stale AND oi_usd IS NOT NULL) AS contracts,
    count(*) FILTER (stale) AS contracts_stale,
    count(*) FILTER (NOT stale AND oi_usd IS NULL) AS contracts_unpriced,
    max(age_s) FILTER (NOT stale AND oi_usd IS NOT NULL) AS oldest_age_s
FROM open_interest_current
GROUP BY base
ORDER BY oi_usd DESC NULLS LAST, base
