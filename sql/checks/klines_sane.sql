-- klines_sane: a candle's low and high enclose open and close, its prices are positive, its volumes not negative
-- Failure. Table klines. Premium candles are no prices. Grain: one candle.
SELECT venue, symbol, ts_event, interval, price_kind, open, high, low, close, volume_base, volume_quote FROM klines
WHERE ts_event >= $since AND ts_event < $until
    AND (low > least(open, close) OR high < greatest(open, close) OR volume_base < 0 OR volume_quote < 0
        OR (price_kind <> 'premium' AND low <= 0))
