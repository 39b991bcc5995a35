-- largest(hours, number := 100, coin := '*'): the largest liquidations of the last `hours` hours, of all coins or one.
-- Reads liquidations_filled_in, liquidation_coverage. Grain: one liquidation; rank 1 is the largest. usd is quantity times price;
-- price_kind says which price: a fill average, a mark, or a bankruptcy price (beyond the market price, so longs are too low and
-- shorts too high). completeness: of its feed; a throttled feed may have sent a smaller liquidation instead. coverage_share,
-- suspect_share and saturated_share: of its venue over the window. venues: all with a liquidation in the window (of the coin, if
-- one is given). unpriced: how many of these have no USD amount, and so no rank. occurrence: 0, or 1, 2... for further ones that
-- are equal in everything that the venue sent.
-- Example: FROM largest(4, coin := 'BTC', number := 10)
WITH found AS (
    FROM liquidations_filled_in
    WHERE ts_event > as_of() - to_seconds(hours * 3600) AND ts_event <= as_of() AND (coin = '*' OR base = coin) AND known_coin(coin)
), top AS (
    SELECT *, row_number() OVER (ORDER BY notional_usd DESC, ts_event, event_key, occurrence) AS rank
    FROM (
        FROM found
        WHERE notional_usd IS NOT NULL
        ORDER BY notional_usd DESC, ts_event, event_key, occurrence
        LIMIT number
    )
)
SELECT
    rank,
    ts_event,
    top.venue,
    symbol,
    instrument,
    base,
    position_side,
    notional_usd AS usd,
    qty_base,
    price,
    price_kind,
    completeness,
    coverage_share,
    suspect_share,
    saturated_share,
    venues,
    unpriced,
    date_diff('second', ts_event, as_of()) AS age_s,
    occurrence
FROM top
    CROSS JOIN (
        SELECT string_agg(DISTINCT venue, ', ' ORDER BY venue) AS venues, count(*) - count(notional_usd) AS unpriced FROM found)
    LEFT JOIN liquidation_coverage([as_of() - to_seconds(hours * 3600)]) AS c ON top.venue = c.venue
ORDER BY rank
