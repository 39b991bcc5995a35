-- long_short_current: the latest long/short ratio of every kind, venue and symbol.
-- Reads long_short_ratios, instruments. Grain: one row per venue, symbol, kind and period heard of in the 24 hours before as_of().
-- kind: global_accounts (accounts net long / net short), top_accounts (the same of the venue's top traders: Binance the top 20 %
-- by margin, OKX the first 100), top_positions (their positions). Taker volumes are in taker_ratio. symbol: a contract, pair or
-- coin, as scope says. ratio = long_share / short_share, and long_share = ratio / (1 + ratio); null if neither sent nor derivable.
-- Every contract has a long and a short side, so only the numbers of accounts, or the top traders' part, can be one-sided.
WITH latest AS (
    SELECT
        venue, symbol, kind, period, max(ts_event) AS ts_event, any_value(instrument) AS instrument, any_value(base) AS base,
        any_value(scope) AS scope,
        max_by({'ratio': ratio, 'long_share': long_share, 'short_share': short_share}, ts_event) AS row
    FROM long_short_ratios
    WHERE ts_event > as_of() - INTERVAL 24 HOURS AND ts_event <= as_of() AND kind <> 'taker'
    GROUP BY venue, symbol, kind, period
)
SELECT
    l.venue, l.symbol, l.kind, l.period, l.scope, coalesce(l.instrument, i.instrument) AS instrument,
    coalesce(l.base, i.base) AS base, l.row.ratio AS ratio, l.row.long_share AS long_share, l.row.short_share AS short_share,
    l.ts_event, date_diff('second', l.ts_event, as_of()) AS age_s
FROM latest AS l
LEFT JOIN instruments_as_of AS i ON l.venue = i.venue AND l.symbol = i.symbol AND i.is_current AND l.scope = 'symbol'
ORDER BY 7, l.venue, l.symbol, l.kind, l.period
