-- known_instrument(named): true; an error that says what may be meant where a name is not one of our spelling.
-- Subject: Contracts. Reads instruments. BTC/USDT:USDT is ours; BTCUSDT, BTC, BTC/USDT and btc/usdt:usdt are not, and would find
-- nothing. True also for null and for a name that is like nothing there, as a past import may have it.
(
    SELECT CASE
        WHEN bool_or(i.instrument = named) IS FALSE
            AND bool_or(upper(named) IN (upper(i.symbol), upper(i.base), upper(i.instrument)) OR upper(i.instrument) LIKE upper(named) || ':%')
        THEN error(concat(
            named, ' is no instrument of ours; there is ', string_agg(DISTINCT i.instrument, ', ' ORDER BY i.instrument) FILTER (
                upper(named) IN (upper(i.symbol), upper(i.base), upper(i.instrument)) OR upper(i.instrument) LIKE upper(named) || ':%')))::BOOLEAN
        ELSE true
    END
    FROM instruments AS i
)
