-- rsi_current: Wilder's RSI (14) of every contract on 15m, 1h, 4h, 12h, 1d and 1w bars, as it is now.
-- Reads klines (15m: two days of minutes), prices_1h, prices_1d, instruments. Grain: one row per venue, symbol and interval with a
-- bar. rsi: at the last closed bar, whose start is bar. rsi_now: the same with the running bar, its last price as close. Both are
-- 0 to 100 (above 70 and below 30 are the usual bands), and null before 14 changes. changes: number of price changes used, from at
-- most 160 bars. settled: at least 140, so that the start of the series no longer matters. A bar without a known trade is skipped;
-- bars_missing counts these.
WITH bars AS (
    SELECT venue, symbol, '15m' AS "interval", m.bar, INTERVAL 15 MINUTES AS length, m."close", m.last_minute, m.last_closed
    FROM (
        SELECT
            time_bucket(INTERVAL 15 MINUTES, ts_event) AS bar, venue, symbol, max(ts_event) AS last_minute,
            arg_max("close", epoch_ms(ts_event) + (closed IS TRUE)::INTEGER) AS "close",
            max(epoch_ms(ts_event) + (closed IS TRUE)::INTEGER) % 2 = 1 AS last_closed
        FROM klines
        WHERE ts_event >= time_bucket(INTERVAL 15 MINUTES, as_of() - INTERVAL 40 HOURS) AND ts_event <= as_of()
            AND "interval" = '1m' AND price_kind = 'trade' AND (ts_event <= as_of() - INTERVAL 1 MINUTE OR closed IS NOT TRUE)
        GROUP BY time_bucket(INTERVAL 15 MINUTES, ts_event), venue, symbol
    ) AS m
    UNION ALL
    SELECT
        venue, symbol, w.name, time_bucket(w.length, h.hour), w.length, arg_max("close", h.hour), max(last_minute),
        arg_max(closed, h.hour)
    FROM price_hours(time_bucket(INTERVAL 12 HOURS, as_of() - INTERVAL 1920 HOURS)) AS h
    JOIN (VALUES ('1h', INTERVAL 1 HOUR), ('4h', INTERVAL 4 HOURS), ('12h', INTERVAL 12 HOURS)) AS w(name, length)
        ON h.hour >= time_bucket(w.length, as_of() - 160 * w.length)
    GROUP BY venue, symbol, w.name, w.length, time_bucket(w.length, h.hour)
    UNION ALL
    SELECT
        venue, symbol, w.name, time_bucket(w.length, d.day), w.length, arg_max("close", d.day), max(last_minute), arg_max(closed, d.day)
    FROM price_days(time_bucket(INTERVAL 7 DAYS, as_of() - INTERVAL 1120 DAYS)) AS d
    JOIN (VALUES ('1d', INTERVAL 1 DAY), ('1w', INTERVAL 7 DAYS)) AS w(name, length)
        ON d.day >= time_bucket(w.length, as_of() - 160 * w.length)
    GROUP BY venue, symbol, w.name, w.length, time_bucket(w.length, d.day)
), series AS (
    SELECT
        b.venue, b.symbol, i.instrument, i.base, b."interval", b.bar, b.length, b."close" / i.multiplier AS "close",
        b.bar + b.length <= as_of() AND b.last_closed AND b.last_minute = b.bar + b.length - INTERVAL 1 MINUTE AS closed
    FROM bars AS b LEFT JOIN instruments_as_of AS i ON b.venue = i.venue AND b.symbol = i.symbol AND i.is_current
), listed AS (
    SELECT
        venue, symbol, instrument, any_value(base) AS base, "interval", any_value(length) AS length,
        list("close" ORDER BY bar) AS closes, max(bar) FILTER (closed) AS bar,
        count(*) - list_position(list(closed IS TRUE ORDER BY bar DESC), true) AS changes,
        (epoch(max(bar) - min(bar)) / epoch(any_value(length)))::BIGINT + 1 - count(*) AS bars_missing
    FROM series
    WHERE "close" IS NOT NULL
    GROUP BY venue, symbol, instrument, "interval"
), stepped AS (
    SELECT
        *,
        list_transform(closes[2:], lambda c, i: greatest(c - closes[i], 0)) AS gains,
        list_transform(closes[2:], lambda c, i: greatest(closes[i] - c, 0)) AS losses
    FROM listed
), averaged AS (
    -- to the last closed bar, and on from there; null, as are the sums, before there are 14
    SELECT
        *,
        list_reduce(gains[15:changes], lambda a, x: (a * 13 + x) / 14, list_avg(gains[:14])) AS gain,
        list_reduce(losses[15:changes], lambda a, x: (a * 13 + x) / 14, list_avg(losses[:14])) AS loss,
        list_reduce(gains[15:], lambda a, x: (a * 13 + x) / 14, list_avg(gains[:14])) AS gain_now,
        list_reduce(losses[15:], lambda a, x: (a * 13 + x) / 14, list_avg(losses[:14])) AS loss_now
    FROM stepped
)
SELECT
    venue, symbol, instrument, base, "interval", bar,
    CASE
        WHEN changes >= 14 THEN CASE WHEN loss > 0 THEN 100 - 100 / (1 + gain / loss) WHEN gain > 0 THEN 100 ELSE 50 END
    END AS rsi,
    CASE
        WHEN len(gains) >= 14
        THEN CASE WHEN loss_now > 0 THEN 100 - 100 / (1 + gain_now / loss_now) WHEN gain_now > 0 THEN 100 ELSE 50 END
    END AS rsi_now,
    closes[-1] AS "close",
    changes,
    coalesce(changes >= 140, false) AS settled,
    bars_missing
FROM averaged
ORDER BY base, venue, symbol, length
