-- null_shares: how many rows lack a value, per table, venue and column that may be null, over the last 24 hours.
-- Reads liquidations, funding_rates, funding_settlements, open_interest, mark_prices, klines, long_short_ratios, dead_letters,
-- collector_events, instruments, leverage_tiers. Grain: one row per table, venue and column that may be null, of the rows of the
-- 24 hours before as_of() by the table's own time, of instruments and leverage_tiers of all. share: nulls / rows. liq schema TABLE
-- says when a column is null. Columns that only old rows lack are left out. "table" and "column" are keywords in SQL: write WHERE
-- "table" = 'liquidations'.
WITH counted AS (
    SELECT 'liquidations' AS "table", venue, count(*) AS rows, unnest([
        {c: 'instrument', n: count(*) - count(instrument)}, {c: 'base', n: count(*) - count(base)},
        {c: 'quote', n: count(*) - count(quote)}, {c: 'settle', n: count(*) - count(settle)},
        {c: 'contract', n: count(*) - count(contract)}, {c: 'kind', n: count(*) - count(kind)},
        {c: 'order_side', n: count(*) - count(order_side)}, {c: 'position_side', n: count(*) - count(position_side)},
        {c: 'price_raw', n: count(*) - count(price_raw)}, {c: 'price', n: count(*) - count(price)},
        {c: 'order_price', n: count(*) - count(order_price)}, {c: 'qty_base', n: count(*) - count(qty_base)},
        {c: 'notional_usd', n: count(*) - count(notional_usd)}, {c: 'status', n: count(*) - count(status)},
        {c: 'metadata', n: count(*) - count(metadata)}, {c: 'null_reason', n: count(*) - count(null_reason)}
    ]) AS it FROM liquidations
    WHERE ts_event > as_of() - INTERVAL 24 HOURS AND ts_event <= as_of() GROUP BY venue
    UNION ALL
    SELECT 'funding_rates' AS "table", venue, count(*) AS rows, unnest([
        {c: 'instrument', n: count(*) - count(instrument)}, {c: 'base', n: count(*) - count(base)},
        {c: 'quote', n: count(*) - count(quote)}, {c: 'settle', n: count(*) - count(settle)},
        {c: 'interval_hours', n: count(*) - count(interval_hours)},
        {c: 'next_funding_ts', n: count(*) - count(next_funding_ts)}
    ]) AS it FROM funding_rates
    WHERE ts > as_of() - INTERVAL 24 HOURS AND ts <= as_of() GROUP BY venue
    UNION ALL
    SELECT 'funding_settlements' AS "table", venue, count(*) AS rows, unnest([
        {c: 'instrument', n: count(*) - count(instrument)}, {c: 'base', n: count(*) - count(base)},
        {c: 'quote', n: count(*) - count(quote)}, {c: 'settle', n: count(*) - count(settle)},
        {c: 'interval_hours', n: count(*) - count(interval_hours)}, {c: 'mark_price', n: count(*) - count(mark_price)},
        {c: 'rate_type', n: count(*) - count(rate_type)}
    ]) AS it FROM funding_settlements
    WHERE ts_event > as_of() - INTERVAL 24 HOURS AND ts_event <= as_of() GROUP BY venue
    UNION ALL
    SELECT 'open_interest' AS "table", venue, count(*) AS rows, unnest([
        {c: 'instrument', n: count(*) - count(instrument)}, {c: 'base', n: count(*) - count(base)},
        {c: 'quote', n: count(*) - count(quote)}, {c: 'settle', n: count(*) - count(settle)},
        {c: 'contract', n: count(*) - count(contract)}, {c: 'oi_base', n: count(*) - count(oi_base)},
        {c: 'oi_usd', n: count(*) - count(oi_usd)}, {c: 'period', n: count(*) - count(period)},
        {c: 'null_reason', n: count(*) - count(null_reason)}
    ]) AS it FROM open_interest
    WHERE ts > as_of() - INTERVAL 24 HOURS AND ts <= as_of() GROUP BY venue
    UNION ALL
    SELECT 'mark_prices' AS "table", venue, count(*) AS rows, unnest([
        {c: 'instrument', n: count(*) - count(instrument)}, {c: 'base', n: count(*) - count(base)},
        {c: 'quote', n: count(*) - count(quote)}, {c: 'settle', n: count(*) - count(settle)},
        {c: 'mark_price', n: count(*) - count(mark_price)}, {c: 'index_price', n: count(*) - count(index_price)}
    ]) AS it FROM mark_prices
    WHERE ts > as_of() - INTERVAL 24 HOURS AND ts <= as_of() GROUP BY venue
    UNION ALL
    SELECT 'klines' AS "table", venue, count(*) AS rows, unnest([
        {c: 'instrument', n: count(*) - count(instrument)}, {c: 'base', n: count(*) - count(base)},
        {c: 'quote', n: count(*) - count(quote)}, {c: 'settle', n: count(*) - count(settle)},
        {c: 'volume_base', n: count(*) - count(volume_base)}, {c: 'volume_quote', n: count(*) - count(volume_quote)},
        {c: 'taker_buy_base', n: count(*) - count(taker_buy_base)}, {c: 'trades', n: count(*) - count(trades)},
        {c: 'closed', n: count(*) - count(closed)}
    ]) AS it FROM klines
    WHERE ts_event > as_of() - INTERVAL 24 HOURS AND ts_event <= as_of() GROUP BY venue
    UNION ALL
    SELECT 'long_short_ratios' AS "table", venue, count(*) AS rows, unnest([
        {c: 'instrument', n: count(*) - count(instrument)}, {c: 'base', n: count(*) - count(base)},
        {c: 'period', n: count(*) - count(period)}, {c: 'ratio', n: count(*) - count(ratio)},
        {c: 'long_share', n: count(*) - count(long_share)}, {c: 'short_share', n: count(*) - count(short_share)},
        {c: 'long_volume', n: count(*) - count(long_volume)}, {c: 'short_volume', n: count(*) - count(short_volume)},
        {c: 'unit', n: count(*) - count(unit)}, {c: 'closed', n: count(*) - count(closed)}
    ]) AS it FROM long_short_ratios
    WHERE ts_event > as_of() - INTERVAL 24 HOURS AND ts_event <= as_of() GROUP BY venue
    UNION ALL
    SELECT 'dead_letters' AS "table", venue, count(*) AS rows, unnest([
        {c: 'channel', n: count(*) - count(channel)}, {c: 'symbol', n: count(*) - count(symbol)},
        {c: 'transport', n: count(*) - count(transport)}, {c: 'ts_recv', n: count(*) - count(ts_recv)},
        {c: 'session', n: count(*) - count(session)}, {c: 'seq', n: count(*) - count(seq)},
        {c: 'payload', n: count(*) - count(payload)}
    ]) AS it FROM dead_letters
    WHERE ts_recv > as_of() - INTERVAL 24 HOURS AND ts_recv <= as_of() GROUP BY venue
    UNION ALL
    SELECT 'collector_events' AS "table", venue, count(*) AS rows, unnest([
        {c: 'reason', n: count(*) - count(reason)}, {c: 'detail', n: count(*) - count(detail)}
    ]) AS it FROM collector_events
    WHERE ts > as_of() - INTERVAL 24 HOURS AND ts <= as_of() GROUP BY venue
    UNION ALL
    SELECT 'instruments' AS "table", venue, count(*) AS rows, unnest([
        {c: 'listed_ts', n: count(*) - count(listed_ts)}, {c: 'expiry_ts', n: count(*) - count(expiry_ts)},
        {c: 'interval_hours', n: count(*) - count(interval_hours)}
    ]) AS it FROM instruments GROUP BY venue
    UNION ALL
    SELECT 'leverage_tiers' AS "table", venue, count(*) AS rows, unnest([
        {c: 'cap', n: count(*) - count("cap")}, {c: 'initial_margin_rate', n: count(*) - count(initial_margin_rate)},
        {c: 'deduction', n: count(*) - count(deduction)}, {c: 'kafka_topic', n: count(*) - count(kafka_topic)},
        {c: 'kafka_partition', n: count(*) - count(kafka_partition)}, {c: 'kafka_offset', n: count(*) - count(kafka_offset)},
        {c: 'session', n: count(*) - count(session)}, {c: 'seq', n: count(*) - count(seq)}
    ]) AS it FROM leverage_tiers GROUP BY venue
)
SELECT "table", venue, it.c AS "column", rows, it.n AS nulls, it.n / rows AS share
FROM counted
ORDER BY "table", venue, "column"
