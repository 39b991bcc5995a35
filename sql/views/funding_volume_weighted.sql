-- funding_volume_weighted: the running funding of every coin over all venues, weighted by 24-hour volume.
-- Reads funding_current, price_24h. Grain: one row per base. rate_8h: sum(rate x weight) / sum(weight), with each rate converted
-- to eight hours. rate_year: the same per year, simple. rate_8h_mean: unweighted. Included are contracts with a rate that is not
-- stale, its interval, and a volume in USD of most of the last 24 hours (most_of_day in price_24h); volume_24h_usd, contracts and
-- venues describe them. contracts_left_out: those with a rate that lack one of these. Null if no contract is included.
SELECT
    f.base,
    sum(f.rate_8h * w.weight_usd) FILTER (known) / nullif(sum(w.weight_usd) FILTER (known), 0) AS rate_8h,
    sum(f.rate_year * w.weight_usd) FILTER (known) / nullif(sum(w.weight_usd) FILTER (known), 0) AS rate_year,
    avg(f.rate_8h) FILTER (known) AS rate_8h_mean,
    min(f.rate_8h) FILTER (known) AS rate_8h_lowest,
    max(f.rate_8h) FILTER (known) AS rate_8h_highest,
    sum(w.weight_usd) FILTER (known) AS volume_24h_usd,
    string_agg(DISTINCT f.venue, ', ' ORDER BY f.venue) FILTER (known) AS venues,
    count(*) FILTER (known) AS contracts,
    count(*) FILTER (NOT known) AS contracts_left_out
FROM funding_current AS f
LEFT JOIN (SELECT venue, symbol, volume_usd AS weight_usd FROM price_24h WHERE most_of_day) AS w ON f.venue = w.venue AND f.symbol = w.symbol
CROSS JOIN LATERAL (SELECT NOT f.stale AND f.rate_8h IS NOT NULL AND w.weight_usd IS NOT NULL AS known)
GROUP BY f.base
ORDER BY volume_24h_usd DESC NULLS LAST
