-- liquidation_price_shifts: how far the price that a venue gives of a liquidation lies beyond the market, by contract.
-- Subject: Liquidations.
-- Reads instruments, leverage_tiers. Grain: one row per price_kind and contract as listed now. shift: a fraction: of a long the price
-- is market * (1 - shift), of a short market * (1 + shift). bankruptcy: the maintenance margin rate of the contract's lowest step, as
-- what is left when a position is closed; 0.5 % where no table is known. okx_bkPx: measured beyond the mark on four coins (0.38 % BTC,
-- 0.28 % ETH, 0.57 % SOL, 0.78 % DOGE), their median of others. came_from: margin, assumed or measured. Other kinds have no row.
WITH listed AS (
    SELECT venue, symbol, base, family FROM instruments_as_of WHERE is_current
), lowest AS (
    SELECT venue, symbol, arg_min(maintenance_margin_rate, tier) AS rate FROM leverage_tiers_as_of WHERE is_current GROUP BY ALL
), measured(base, shift) AS (
    VALUES ('BTC', 0.0038::DOUBLE), ('ETH', 0.0028), ('SOL', 0.0057), ('DOGE', 0.0078)
)
SELECT
    'bankruptcy' AS price_kind, l.venue, l.symbol, coalesce(own.rate, of_family.rate, 0.005) AS shift,
    CASE WHEN own.rate IS NULL AND of_family.rate IS NULL THEN 'assumed' ELSE 'margin' END AS came_from
FROM listed AS l
    LEFT JOIN lowest AS own ON own.venue = l.venue AND own.symbol = l.symbol
    LEFT JOIN lowest AS of_family ON of_family.venue = l.venue AND of_family.symbol = l.family
UNION ALL
SELECT
    'okx_bkPx', l.venue, l.symbol, coalesce(m.shift, (SELECT median(shift) FROM measured)) AS shift,
    CASE WHEN m.shift IS NULL THEN 'assumed' ELSE 'measured' END
FROM listed AS l LEFT JOIN measured AS m ON m.base = l.base
ORDER BY price_kind, venue, symbol
