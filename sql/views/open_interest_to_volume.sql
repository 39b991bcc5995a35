-- open_interest_to_volume: open interest of every coin against its volume of the last 24 hours.
-- Reads open_interest_current, price_24h. Grain: one row per base. oi_usd and volume_24h_usd have only contracts with both an open
-- interest at most an hour old and a volume in USD of most of the 24 hours (most_of_day); contracts and venues describe them,
-- contracts_left_out counts those that lack one. oi_to_volume: open interest / volume, that is, in how many days such trading
-- would turn it over once; null if nothing traded, or no contract is included. minutes: of the 1440, the fewest minutes from which
-- a contract's volume comes.
SELECT
    coalesce(o.base, p.base) AS base,
    sum(o.oi_usd) FILTER (both_known) AS oi_usd,
    sum(p.volume_usd) FILTER (both_known) AS volume_24h_usd,
    sum(o.oi_usd) FILTER (both_known) / nullif(sum(p.volume_usd) FILTER (both_known), 0) AS oi_to_volume,
    string_agg(DISTINCT coalesce(o.venue, p.venue), ', ' ORDER BY coalesce(o.venue, p.venue)) FILTER (both_known) AS venues,
    count(*) FILTER (both_known) AS contracts,
    count(*) FILTER (NOT both_known) AS contracts_left_out,
    min(p.minutes) FILTER (both_known) AS minutes
FROM (SELECT * FROM open_interest_current WHERE NOT stale) AS o
FULL JOIN price_24h AS p ON o.venue = p.venue AND o.symbol = p.symbol
CROSS JOIN LATERAL (SELECT o.oi_usd IS NOT NULL AND p.volume_usd IS NOT NULL AND p.most_of_day AS both_known)
GROUP BY coalesce(o.base, p.base)
ORDER BY oi_usd DESC NULLS LAST
