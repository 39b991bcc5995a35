-- liquidation_feed: liquidations of the last 24 hours that are at least 100,000 USD, or 20 times the normal size of their coin.
-- Reads feed. Grain: one liquidation, the latest first. Those of the second kind are at least 1,000 USD. normal_usd: the coin's
-- mean liquidation at the same venue and class of feed over seven days. For other thresholds, and the columns, see feed(min_usd,
-- times_normal, floor_usd, hours).
FROM feed(100000, 20)
