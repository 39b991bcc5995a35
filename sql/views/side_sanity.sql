-- side_sanity: a check that the venue's sides are read correctly: when the price falls, mostly longs are liquidated.
-- Reads liquidations, mark_prices. Grain: one row per venue and day (UTC) of the seven days up to as_of() with a liquidation.
-- counted: liquidations in a minute whose last mark price differs from that of the minute before. agreeing: a long while the price
-- fell, or a short while it rose. share: agreeing / counted. verdict: agrees from 0.6, inverted up to 0.4, else unclear; too few
-- if counted is below 30, also if there were more but their prices are not known.
WITH hit AS (
    SELECT venue, symbol, date_trunc('minute', ts_event) AS minute,
        count(*) FILTER (position_side = 'long') AS longs, count(*) FILTER (position_side = 'short') AS shorts
    FROM liquidations
    WHERE ts_event > as_of() - INTERVAL 7 DAYS AND ts_event <= as_of()
    GROUP BY ALL
), wanted AS (
    SELECT venue, symbol, minute FROM hit UNION SELECT venue, symbol, minute - INTERVAL 1 MINUTE FROM hit
), marks AS (
    SELECT venue, symbol, date_trunc('minute', ts) AS minute, max_by(mark_price, ts_event) AS mark
    FROM mark_prices
    WHERE ts > as_of() - INTERVAL '7 days 2 minutes' AND ts <= as_of() AND mark_price IS NOT NULL
        AND (venue, symbol, date_trunc('minute', ts)) IN (SELECT (venue, symbol, minute) FROM wanted)
    GROUP BY ALL
), moved AS (
    SELECT h.*, sign(m.mark - b.mark) AS direction
    FROM hit AS h
    LEFT JOIN marks AS m ON h.venue = m.venue AND h.symbol = m.symbol AND h.minute = m.minute
    LEFT JOIN marks AS b ON h.venue = b.venue AND h.symbol = b.symbol AND h.minute = b.minute + INTERVAL 1 MINUTE
), counted AS (
    SELECT venue, date_trunc('day', minute)::TIMESTAMP AS day,
        sum(longs + shorts) FILTER (direction <> 0)::BIGINT AS counted,
        sum(CASE direction WHEN -1 THEN longs WHEN 1 THEN shorts END)::BIGINT AS agreeing,
        sum(longs) FILTER (direction < 0)::BIGINT AS longs_falling,
        sum(shorts) FILTER (direction < 0)::BIGINT AS shorts_falling,
        sum(longs) FILTER (direction > 0)::BIGINT AS longs_rising,
        sum(shorts) FILTER (direction > 0)::BIGINT AS shorts_rising
    FROM moved GROUP BY ALL
)
SELECT
    venue,
    day,
    coalesce(counted, 0) AS counted,
    agreeing / nullif(counted, 0) AS share,
    CASE
        WHEN coalesce(counted, 0) < 30 THEN 'too few'
        WHEN agreeing / counted >= 0.6 THEN 'agrees'
        WHEN agreeing / counted <= 0.4 THEN 'inverted'
        ELSE 'unclear'
    END AS verdict,
    coalesce(longs_falling, 0) AS longs_falling,
    coalesce(shorts_falling, 0) AS shorts_falling,
    coalesce(longs_rising, 0) AS longs_rising,
    coalesce(shorts_rising, 0) AS shorts_rising
FROM counted
ORDER BY day DESC, venue
