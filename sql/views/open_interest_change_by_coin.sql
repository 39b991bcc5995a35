-- open_interest_change_by_coin: how the open interest of every coin changed over the last 1, 4 and 24 hours, in coins and USD.
-- Reads open_interest_change. Grain: one row per base and hours (1, 4, 24). The sums have only contracts with coins and USD both
-- now and then, so that a venue that was missing then does not look like a change; contracts and venues describe them.
-- contracts_left_out: contracts with a value at both times, but without coins or USD at one. change_base is in coins. change_usd =
-- change_usd_positions (opened or closed, at the earlier price) + change_usd_price (the price move). Null if no contract is in the
-- sums.
SELECT
    base, hours,
    sum(oi_base_then) FILTER (whole) AS oi_base_then,
    sum(oi_base) FILTER (whole) AS oi_base,
    sum(change_base) FILTER (whole) AS change_base,
    sum(change_base) FILTER (whole) / nullif(sum(oi_base_then) FILTER (whole), 0) AS change_base_share,
    sum(oi_usd_then) FILTER (whole) AS oi_usd_then,
    sum(oi_usd) FILTER (whole) AS oi_usd,
    sum(change_usd) FILTER (whole) AS change_usd,
    sum(change_usd) FILTER (whole) / nullif(sum(oi_usd_then) FILTER (whole), 0) AS change_usd_share,
    sum(change_usd_positions) FILTER (whole) AS change_usd_positions,
    sum(change_usd_price) FILTER (whole) AS change_usd_price,
    string_agg(DISTINCT venue, ', ' ORDER BY venue) FILTER (whole) AS venues,
    count(*) FILTER (whole) AS contracts,
    count(*) FILTER (NOT whole) AS contracts_left_out
FROM (SELECT *, change_base IS NOT NULL AND change_usd IS NOT NULL AS whole FROM open_interest_change)
GROUP BY base, hours
ORDER BY hours, oi_usd DESC NULLS LAST
