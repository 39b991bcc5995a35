-- funding_arbitrage(holding_hours := 168, fee_rate := 0.0005, min_oi_usd := 0): pairs of venues between which a coin's funding differs.
-- Reads funding_current, open_interest_current. Grain: one row per base and pair of contracts at two venues: long where funding is
-- lower, short where it is higher. Included are perpetuals with a rate that is not stale, its interval, and a mark price in
-- dollars, both with at least min_oi_usd of open interest (0: also if it is not known). Rates are fractions of one side's
-- notional, times hours. fees: 4 x fee_rate (the taker fee of one trade; open and close on both venues). spread: price at the
-- short's venue / price at the long's - 1; positive is a gain at entry and is not counted, negative is a cost. apr_gross: the
-- difference of the yearly rates, simple. apr: apr_gross minus fees and a negative spread, over holding_hours. net_return: what
-- remains after that time. breakeven_hours: when the costs are earned back. It assumes that funding stays as it is now. If
-- holding_hours is 0, apr is null.
-- Example: FROM funding_arbitrage(72, 0.0004)
WITH priced AS (
    SELECT f.venue, f.symbol, f.instrument, f.base, f.rate_8h, f.rate_year, f.interval_hours, f.next_funding_ts, o.mark_price, o.oi_usd
    FROM funding_current AS f
    JOIN open_interest_current AS o ON f.venue = o.venue AND f.symbol = o.symbol AND NOT o.stale
    WHERE NOT f.stale AND f.rate_8h IS NOT NULL AND o.mark_price IS NOT NULL AND list_contains(dollars(), f.quote)
        AND (min_oi_usd = 0 OR o.oi_usd >= min_oi_usd)
), pairs AS (
    SELECT
        l.base, l.venue AS long_venue, l.symbol AS long_symbol, l.instrument AS long_instrument,
        s.venue AS short_venue, s.symbol AS short_symbol, s.instrument AS short_instrument,
        l.rate_8h AS long_rate_8h, s.rate_8h AS short_rate_8h, s.rate_8h - l.rate_8h AS difference_8h,
        4 * fee_rate::DOUBLE AS fees, s.mark_price / l.mark_price - 1 AS spread, s.rate_year - l.rate_year AS apr_gross,
        4 * fee_rate::DOUBLE - least(s.mark_price / l.mark_price - 1, 0) AS costs,
        least(l.oi_usd, s.oi_usd) AS smaller_oi_usd,
        l.interval_hours AS long_interval_hours, s.interval_hours AS short_interval_hours,
        l.next_funding_ts AS long_next_funding_ts, s.next_funding_ts AS short_next_funding_ts
    FROM priced AS l JOIN priced AS s ON l.base = s.base AND l.venue <> s.venue AND l.rate_8h < s.rate_8h
)
SELECT
    p.* EXCLUDE (costs),
    p.apr_gross - p.costs * 8760 / nullif(holding_hours, 0) AS apr,
    p.apr_gross * holding_hours / 8760 - p.costs AS net_return,
    p.costs * 8760 / p.apr_gross AS breakeven_hours,
    holding_hours AS holding_hours
FROM pairs AS p
ORDER BY apr DESC
