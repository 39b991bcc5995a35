-- liquidation_largest: the hundred largest liquidations of the last 24 hours.
-- Reads largest. Grain: one liquidation; rank 1 is the largest. Columns, and what to beware of: see largest(hours, number, coin).
FROM largest(24)
