-- open_interest_by_venue: open interest of every coin at each venue, in USD and coins.
-- Reads open_interest_current. Grain: one row per base and venue. Open interest is one side; sides says how the venue counts
-- (both: halved here; undocumented: as sent). contracts: those in the sums. Left out are contracts_stale (value more than an hour
-- old) and contracts_unpriced (no USD); a venue that was silent for 24 hours has no row. oi_usd is null if no contract is in the
-- sum; oi_base sums the same contracts. share: the venue's share of the coin's USD.
SELECT
    base,
    venue,
    sum(oi_usd) FILTER (NOT stale) AS oi_usd,
    sum(oi_base) FILTER (NOT stale AND oi_usd IS NOT NULL) AS oi_base,
    sum(oi_usd) FILTER (NOT stale) / nullif(sum(sum(oi_usd) FILTER (NOT stale)) OVER (PARTITION BY base), 0) AS share,
    string_agg(DISTINCT sides, ', ' ORDER BY sides) FILTER (NOT stale AND oi_usd IS NOT NULL) AS sides,
    count(*) FILTER (NOT stale AND oi_usd IS NOT NULL) AS contracts,
    count(*) FILTER (stale) AS contracts_stale,
    count(*) FILTER (NOT stale AND oi_usd IS NULL) AS contracts_unpriced,
    max(age_s) FILTER (NOT stale AND oi_usd IS NOT NULL) AS oldest_age_s
FROM open_interest_current
GROUP BY base, venue
ORDER BY oi_usd DESC NULLS LAST, base, venue
