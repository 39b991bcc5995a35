-- signals_outcome: what the price did 1, 4 and 24 hours after each signal, compared with what it did after any hour.
-- Reads signals, signal_hours, prices_1h, instruments. Grain: one row per signal, position_side, base, hours (1, 4, 24) and
-- thresholds_version; base '*' is all coins together, also if the signal never fired. fired: hours in which it fired. Overlapping
-- windows count once: if firings follow each other by less than hours, only the first counts. n: those with a price at both ends;
-- pending: their end is still to come; unpriced: a candle is missing. windows: those of n that do not overlap in time across all
-- coins; coins move together, so '*' has no more evidence than that. move = close at the end / close at ts - 1, with the sign
-- turned so that positive is as expected. share: of n that moved as expected; no move counts as neither. share_low, share_high: 95
-- % interval (Wilson) for this number of windows. base_*: the same for every hour of the same coin from since to until (hours
-- looked at with these thresholds), base_n of them, overlapping; for '*' the coins' values, weighted by their n. Prices are of one
-- contract per coin, the one with the most closed hours in the time. verdict compares share_low and share_high with base_share,
-- from 30 windows on. Of twenty comparisons one differs by chance; trading costs are not included.
WITH horizons AS (
    SELECT unnest([1, 4, 24]) AS hours
), looked AS (
    SELECT h.signal, t.position_side, t.expected, h.thresholds_version, min(h.ts) AS since, max(h.ts) AS until, count(DISTINCT h.ts) AS hours_looked
    FROM signal_hours AS h
    LEFT JOIN (SELECT DISTINCT signal, position_side, expected FROM signal_thresholds) AS t USING (signal)
    WHERE h.ts <= as_of()
    GROUP BY ALL
), firings AS (
    SELECT
        s.signal, s.position_side, s.expected, s.base, s.ts, s.thresholds_version, s.computed_ts, h.hours,
        coalesce(s.ts - lag(s.ts) OVER run >= to_hours(h.hours), true) AS first,
        s.ts + to_hours(h.hours) > as_of() AS pending
    FROM signals AS s CROSS JOIN horizons AS h
    WHERE s.ts <= as_of()
    WINDOW run AS (PARTITION BY s.signal, s.position_side, s.base, s.thresholds_version, h.hours ORDER BY s.ts)
), candles AS (
    SELECT coalesce(p.base, i.base) AS base, p.venue, p.symbol, p.hour + INTERVAL 1 HOUR AS at, p."close"
    FROM prices_1h AS p LEFT JOIN instruments_as_of AS i ON p.venue = i.venue AND p.symbol = i.symbol AND i.is_current
    WHERE p.hour >= (SELECT min(since) FROM looked) - INTERVAL 1 HOUR AND p.hour <= as_of() - INTERVAL 1 HOUR AND p.closed
        AND list_contains(dollars(), coalesce(p.quote, i.quote)) AND coalesce(p.base, i.base) IN (SELECT f.base FROM firings AS f)
), chosen AS (
    SELECT base, venue, symbol FROM candles GROUP BY base, venue, symbol
    QUALIFY row_number() OVER (PARTITION BY base ORDER BY count(*) DESC, venue, symbol) = 1
), closes AS (
    SELECT c.base, c.at, c."close" FROM candles AS c SEMI JOIN chosen AS o ON c.venue = o.venue AND c.symbol = o.symbol
), moves AS (
    SELECT s.base, s.at, h.hours, e."close" / nullif(s."close", 0) - 1 AS move
    FROM closes AS s CROSS JOIN horizons AS h JOIN closes AS e ON s.base = e.base AND e.at = s.at + to_hours(h.hours)
), measured AS (
    SELECT
        f.*, CASE f.expected WHEN 'up' THEN m.move ELSE -m.move END AS gain,
        f.first AND m.move IS NOT NULL AS counted
    FROM firings AS f LEFT JOIN moves AS m ON f.base = m.base AND f.ts = m.at AND f.hours = m.hours
), apart AS (
    SELECT
        signal, position_side, thresholds_version, hours, ts,
        coalesce(ts - lag(ts) OVER (PARTITION BY signal, position_side, thresholds_version, hours ORDER BY ts) >= to_hours(hours), true) AS own
    FROM (SELECT DISTINCT signal, position_side, thresholds_version, hours, ts FROM measured WHERE counted)
), after AS (
    SELECT
        signal, position_side, thresholds_version, hours, CASE grouping(base) WHEN 1 THEN '*' ELSE base END AS base,
        count(*) AS fired, count(DISTINCT base) AS coins, count(*) FILTER (counted) AS n,
        count(*) FILTER (first AND pending) AS pending, count(*) FILTER (first AND NOT counted AND NOT pending) AS unpriced,
        avg(gain) FILTER (counted) AS mean, median(gain) FILTER (counted) AS median,
        count(*) FILTER (counted AND gain > 0) / nullif(n, 0) AS share,
        median(date_diff('second', ts, computed_ts)) AS seconds_late
    FROM measured
    GROUP BY GROUPING SETS ((signal, position_side, thresholds_version, hours, base), (signal, position_side, thresholds_version, hours))
), usual_coin AS (
    SELECT
        a.signal, a.position_side, a.thresholds_version, a.hours, a.base, any_value(a.n) AS n, count(*) AS base_n,
        avg(m.move * d) AS mean, median(m.move * d) AS median, count(*) FILTER (m.move * d > 0) / count(*) AS share
    FROM after AS a
    JOIN looked AS l USING (signal, position_side, thresholds_version)
    CROSS JOIN LATERAL (SELECT CASE l.expected WHEN 'up' THEN 1 ELSE -1 END AS d)
    JOIN moves AS m ON a.base = m.base AND a.hours = m.hours AND m.at >= l.since AND m.at <= l.until
    GROUP BY ALL
), usual AS (
    FROM usual_coin
    UNION ALL
    SELECT
        signal, position_side, thresholds_version, hours, '*', sum(n), sum(base_n),
        sum(mean * n) / nullif(sum(n), 0), sum(median * n) / nullif(sum(n), 0), sum(share * n) / nullif(sum(n), 0)
    FROM usual_coin GROUP BY signal, position_side, thresholds_version, hours
), judged AS (
    SELECT
        l.signal, l.position_side, l.expected, coalesce(a.base, '*') AS base, h.hours, coalesce(a.fired, 0) AS fired, coalesce(a.n, 0) AS n,
        CASE WHEN coalesce(a.base, '*') = '*' THEN (
            SELECT count(*) FILTER (w.own) FROM apart AS w
            WHERE w.signal = l.signal AND w.position_side = l.position_side AND w.thresholds_version = l.thresholds_version AND w.hours = h.hours
        ) ELSE a.n END AS windows,
        a.mean, a.median, a.share,
        u.mean AS base_mean, u.median AS base_median, u.share AS base_share, coalesce(u.base_n, 0)::BIGINT AS base_n,
        coalesce(a.pending, 0) AS pending, coalesce(a.unpriced, 0) AS unpriced, coalesce(a.coins, 0) AS coins, a.seconds_late,
        l.since, l.until, l.hours_looked, l.thresholds_version
    FROM looked AS l
    CROSS JOIN horizons AS h
    LEFT JOIN after AS a USING (signal, position_side, thresholds_version, hours)
    LEFT JOIN usual AS u ON u.signal = l.signal AND u.position_side = l.position_side AND u.thresholds_version = l.thresholds_version
        AND u.hours = h.hours AND u.base = a.base
    WHERE l.position_side IS NOT NULL
)
SELECT
    signal, position_side, expected, base, hours, fired, n, windows, mean, median, share,
    (share + 1.9208 / windows - 1.96 * sqrt(share * (1 - share) / windows + 0.9604 / windows ** 2)) / (1 + 3.8416 / windows) AS share_low,
    (share + 1.9208 / windows + 1.96 * sqrt(share * (1 - share) / windows + 0.9604 / windows ** 2)) / (1 + 3.8416 / windows) AS share_high,
    base_mean, base_median, base_share, base_n,
    CASE
        WHEN fired = 0 THEN 'never fired'
        WHEN windows < 30 THEN 'too few'
        WHEN base_share IS NULL THEN 'no base rate'
        WHEN share_low > base_share THEN 'more often than after any hour'
        WHEN share_high < base_share THEN 'less often than after any hour'
        ELSE 'no clear difference from any hour'
    END AS verdict,
    pending, unpriced, coins, since, until, hours_looked, seconds_late, thresholds_version
FROM judged
ORDER BY signal, position_side, base <> '*', base, hours, thresholds_version
