-- liquidations_amounts_agree: USD is coins times price, to a hundredth
-- Warning. Table liquidations. Where the venue gives the amount in USD this tests the price, else the contract size. Grain:
-- one liquidation.
SELECT venue, symbol, ts_event, qty_base, price, notional_usd FROM liquidations
WHERE ts_event >= $since AND ts_event < $until
    AND abs(qty_base * price - notional_usd) > 0.01 * notional_usd
