-- liquidations_nulls_have_a_reason: where an amount is null the row says why, and only there
-- Failure. Table liquidations. Grain: one liquidation.
SELECT venue, symbol, ts_event, qty_base, notional_usd, null_reason FROM liquidations
WHERE ts_event >= $since AND ts_event < $until
    AND (qty_base IS NULL OR notional_usd IS NULL) AND null_reason IS NULL
