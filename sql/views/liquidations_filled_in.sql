-- liquidations_filled_in: every liquidation, with contract data filled in if it was not known when the liquidation arrived.
-- Reads liquidations, instruments_as_of, liquidation_reports. Grain: one liquidation. Complete rows stay unchanged. The others use the
-- contract as listed at ts_event, else as first listed after it, and then have metadata = 'later'. If a feed does not say the side,
-- it is that of the reports of the same contract and quantity within two seconds, if they all agree; null_reason still says
-- why the feed left it open. Filter on ts_event.
WITH incomplete AS (
    FROM liquidations WHERE base IS NULL OR qty_base IS NULL OR notional_usd IS NULL OR position_side IS NULL
), sided AS (
    SELECT l.ts_event, l.event_key, l.occurrence, min(r.position_side) AS r_side
    FROM incomplete AS l
    JOIN liquidation_reports AS r ON l.venue = r.venue AND l.symbol = r.symbol AND l.qty_raw = r.qty_raw
        AND r.ts_event BETWEEN l.ts_event - INTERVAL 2 SECONDS AND l.ts_event + INTERVAL 2 SECONDS
    WHERE l.position_side IS NULL
    GROUP BY ALL
    HAVING min(r.position_side) = max(r.position_side)
), joined AS (
    SELECT
        l.*,
        i.instrument AS i_instrument, i.base AS i_base, i.quote AS i_quote, i.settle AS i_settle,
        i.contract AS i_contract, i.kind AS i_kind, i.contract_size, i.multiplier,
        CASE l.qty_unit
            WHEN 'base' THEN l.qty_raw * i.multiplier
            WHEN 'contract' THEN CASE WHEN i.contract = 'linear' THEN l.qty_raw * i.contract_size * i.multiplier END
        END AS coins,
        CASE
            WHEN l.qty_unit IN ('usd', 'quote') THEN l.qty_raw
            WHEN l.qty_unit = 'contract' AND i.contract = 'inverse' THEN l.qty_raw * i.contract_size
        END AS amount,
        l.price_raw / i.multiplier AS i_price,
        list_contains(dollars(), i.quote) AS in_dollars,
        s.r_side
    FROM incomplete AS l
    LEFT JOIN sided AS s USING (ts_event, event_key, occurrence)
    LEFT JOIN instruments_as_of AS i
        ON l.venue = i.venue AND l.symbol = i.symbol AND l.ts_event >= i.since AND l.ts_event < coalesce(i.valid_to, 'infinity')
)
FROM liquidations WHERE NOT (base IS NULL OR qty_base IS NULL OR notional_usd IS NULL OR position_side IS NULL)
UNION ALL BY NAME
SELECT
    * EXCLUDE (
        i_instrument, i_base, i_quote, i_settle, i_contract, i_kind, contract_size, multiplier, coins, amount, i_price,
        in_dollars, r_side)
    REPLACE (
        coalesce(j.order_side, CASE r_side WHEN 'long' THEN 'sell' WHEN 'short' THEN 'buy' END) AS order_side,
        coalesce(j.position_side, r_side) AS position_side,
        coalesce(j.instrument, i_instrument) AS instrument,
        coalesce(j.base, i_base) AS base,
        coalesce(j.quote, i_quote) AS quote,
        coalesce(j.settle, i_settle) AS settle,
        coalesce(j.contract, i_contract) AS contract,
        coalesce(j.kind, i_kind) AS kind,
        coalesce(j.price, i_price) AS price,
        coalesce(j.qty_base, coins, amount / nullif(i_price, 0)) AS qty_base,
        coalesce(j.notional_usd, CASE WHEN in_dollars THEN coalesce(amount, coins * i_price) END) AS notional_usd,
        CASE WHEN i_base IS NULL THEN j.metadata ELSE 'later' END AS metadata)
FROM joined AS j
