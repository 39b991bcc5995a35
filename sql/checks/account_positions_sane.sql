-- account_positions_sane: a position has a side, a size and a price beyond which it is liquidated; an account without any has neither
-- Failure. Table account_positions. Grain: one row.
SELECT venue, account, symbol, ts_event, position_side, qty_base, liquidation_price, notional_usd FROM account_positions
WHERE ts_event >= $since AND ts_event < $until
    AND ((symbol = '*') <> (position_side IS NULL) OR qty_base < 0 OR liquidation_price <= 0 OR notional_usd < 0
        OR (symbol = '*' AND (qty_base <> 0 OR liquidation_price IS NOT NULL)))
