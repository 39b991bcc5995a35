-- known_instrument(named): true, or an error that suggests the right name if a name is not in our spelling.
-- Subject: Contracts. Reads instruments. BTC/USDT:USDT is our spelling; BTCUSDT, BTC, BTC/USDT and btc/usdt:usdt are not, and a
-- query for them would find nothing. Also true for null and a name that resembles nothing in instruments, because an import of
-- past data may have it.
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
