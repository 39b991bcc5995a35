-- funding_oi_weighted: the running funding of every coin over all venues, weighted by open interest.
-- Reads funding_current, open_interest_current. Grain: one row per base. rate_8h: sum(rate x weight) / sum(weight), with each rate
-- converted to eight hours. rate_year: the same per year, simple. rate_8h_mean: unweighted. Included are contracts with a rate
-- that is not stale, its interval, and open interest in USD at most an hour old; oi_usd, contracts and venues describe them.
-- contracts_left_out: those with a rate that lack one of these. Null if no contract is included.
SELECT
    f.base,
    sum(f.rate_8h * w.weight_usd) FILTER (known) / nullif(sum(w.weight_usd) FILTER (known), 0) AS rate_8h,
    sum(f.rate_year * w.weight_usd) FILTER (known) / nullif(sum(w.weight_usd) FILTER (known), 0) AS rate_year,
    avg(f.rate_8h) FILTER (known) AS rate_8h_mean,
    min(f.rate_8h) FILTER (known) AS rate_8h_lowest,
    max(f.rate_8h) FILTER (known) AS rate_8h_highest,
    sum(w.weight_usd) FILTER (known) AS oi_usd,
    string_agg(DISTINCT f.venue, ', ' ORDER BY f.venue) FILTER (known) AS venues,
    count(*) FILTER (known) AS contracts,
    count(*) FILTER (NOT known) AS contracts_left_out
FROM funding_current AS f
LEFT JOIN (SELECT venue, symbol, oi_usd AS weight_usd FROM open_interest_current WHERE NOT stale) AS w ON f.venue = w.venue AND f.symbol = w.symbol
CROSS JOIN LATERAL (SELECT NOT f.stale AND f.rate_8h IS NOT NULL AND w.weight_usd IS NOT NULL AS known)
GROUP BY f.base
ORDER BY oi_usd DESC NULLS LAST
