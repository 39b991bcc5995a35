-- price_24h: each contract's last trade price, and its change, range and volume over the last 24 hours.
-- Reads klines (1m, trade) of the 24 hours before as_of(), instruments. Grain: one row per venue and symbol with a candle in them.
-- Prices are in quote per coin (quoted price / multiplier), null if the contract is not listed. change_share: close / open - 1.
-- volume_base is in coins; volume_usd is null if the quote is no dollar or the venue sends no turnover; both are of closed
-- minutes. minutes: how many closed minutes there are; 1440 if none is missing. most_of_day: there are at least four fifths of
-- them; if false, open, change, range and volume are of less than 24 hours, as on the first day of collecting. age_s: since the
-- last candle opened.
WITH sums AS (
    SELECT
        venue, symbol,
        any_value(instrument) AS instrument, any_value(base) AS base, any_value(quote) AS quote, any_value(settle) AS settle,
        arg_min("open", epoch_ms(ts_event) - (closed IS TRUE)::INTEGER) AS "open", max(high) AS high, min(low) AS low,
        arg_max("close", epoch_ms(ts_event) + (closed IS TRUE)::INTEGER) AS "close",
        sum(volume_base) FILTER (closed) AS volume_base, sum(volume_quote) FILTER (closed) AS volume_quote,
        count(*) FILTER (closed) AS minutes, max(ts_event) AS last_minute
    FROM klines
    WHERE ts_event >= as_of() - INTERVAL 24 HOURS AND ts_event <= as_of() AND "interval" = '1m' AND price_kind = 'trade'
        AND (ts_event <= as_of() - INTERVAL 1 MINUTE OR closed IS NOT TRUE)
    GROUP BY venue, symbol
)
SELECT
    s.venue, s.symbol, coalesce(s.instrument, i.instrument) AS instrument, coalesce(s.base, i.base) AS base,
    coalesce(s.quote, i.quote) AS quote, coalesce(s.settle, i.settle) AS settle,
    s."open" / i.multiplier AS "open", s.high / i.multiplier AS high, s.low / i.multiplier AS low,
    s."close" / i.multiplier AS "close", s."close" / nullif(s."open", 0) - 1 AS change_share,
    s.volume_base, s.volume_quote,
    CASE WHEN list_contains(dollars(), coalesce(s.quote, i.quote)) THEN s.volume_quote END AS volume_usd,
    s.minutes, s.last_minute, date_diff('second', s.last_minute, as_of()) AS age_s, s.minutes >= 1152 AS most_of_day
FROM sums AS s
LEFT JOIN instruments_as_of AS i ON s.venue = i.venue AND s.symbol = i.symbol AND i.is_current
ORDER BY volume_usd DESC NULLS LAST
