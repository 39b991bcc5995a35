"""The price of a coin over time: the median of its most common contract at each venue, of closes, or of marks and fills."""

from datetime import datetime, timedelta

import polars as pl

from pipelines.plots.read.asking import Asked, rows
from warehouse.lake import Lake, quoted

LENGTHS = ((4, 1), (12, 5), (36, 5), (24 * 4, 15), (24 * 15, 60), (24 * 60, 240))  # span up to so many hours: minutes
EMPTY = pl.DataFrame(schema={"ts": pl.Datetime("us"), "price": pl.Float64, "low": pl.Float64, "high": pl.Float64})

BY_THE_SECOND = timedelta(minutes=20)
MISSING = ("Missing: the price, as there are no candles",)
SECONDS_ARE = "Price: the venues' marks, and between them what liquidations were filled at"

CONTRACT = """
SELECT instrument FROM instruments_as_of
WHERE is_current AND base = $base AND instrument IS NOT NULL AND list_contains(dollars(), quote) AND kind = 'perpetual'
GROUP BY instrument ORDER BY count(*) DESC, instrument LIKE '%/USDT:USDT' DESC, instrument LIMIT 1
"""

TOLD = """
SELECT m.ts_event, m.mark_price AS price, true AS marked
FROM mark_prices AS m JOIN (SELECT venue, symbol FROM instruments_as_of WHERE is_current AND instrument = $named) AS i
    ON m.venue = i.venue AND m.symbol = i.symbol
WHERE m.ts >= $since - INTERVAL 1 HOUR AND m.ts < $until AND m.ts_event >= $since AND m.ts_event < $until AND m.mark_price > 0
"""
MARKS = f"""
SELECT max(ts_event) AS ts, median(price) FILTER (ts_event >= last - INTERVAL 1 SECOND) AS price, min(price) AS low,
       max(price) AS high
FROM (SELECT *, max(ts_event) OVER () AS last FROM ({TOLD})) HAVING count(*) > 0
"""
SECONDS = f"""
WITH told AS (
    {TOLD}
    UNION ALL
    SELECT ts_event, price, false FROM liquidations_complete
    WHERE ts_event >= $since AND ts_event < $until AND instrument = $named AND price_kind = 'fill_average' AND price > 0
), better AS (
    SELECT *, date_trunc('second', ts_event) AS second FROM told QUALIFY marked = bool_or(marked) OVER (PARTITION BY second)
)
SELECT max(ts_event) AS ts, median(price) AS price, median(price) AS low, median(price) AS high
FROM better GROUP BY second ORDER BY ts
"""


def prices(warehouse: Lake, asked: Asked, since: datetime, until: datetime) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return ts (end of the bar), price, low and high in USD per coin, one row a bar, and notes on it.

    Of the instrument asked for, else of the coin's perpetual that most venues list. Empty where no coin was named. A short
    time is by the second, from marks and fills; a longer one in bars of candles, with the marks since the last of them.
    """
    if asked.instrument is None and asked.base is None:
        return EMPTY, ()
    found = rows(warehouse, CONTRACT, {"base": asked.base}) if asked.instrument is None else None
    named = asked.instrument if found is None else found["instrument"][0] if found.height else None
    if named is None:
        return EMPTY, MISSING
    if until - since <= BY_THE_SECOND:
        seconds = rows(warehouse, SECONDS, {"named": named, "since": since, "until": until})
        if seconds.height > 1:
            return seconds, (SECONDS_ARE,)
    bars = _bars(warehouse, named, since, until)
    return (bars, ()) if bars.height else (EMPTY, MISSING)


def _bars(warehouse: Lake, named: str, since: datetime, until: datetime) -> pl.DataFrame:
    """Return bars of candles, each at the end of what is known of it, and after them what the marks say since then."""
    length = bar_minutes(until - since)
    first = since - timedelta(minutes=length)
    bars = rows(
        warehouse,
        f"""
        SELECT max(known) AS ts, median("close") AS price, median(low) AS low, median(high) AS high
        FROM (
            FROM price_bars({quoted(named)}, '{length} minutes', '{first:%Y-%m-%d %H:%M:%S}')
            SELECT *, least(CASE WHEN closed THEN bar_end ELSE last_minute END, bar_end, $until) AS known
            WHERE bar_end > $since AND bar < $until
        ) GROUP BY bar ORDER BY ts
        """,
        {"since": since, "until": until},
    )
    newest = bars["ts"].max() if bars.height else since
    marks = rows(warehouse, MARKS, {"named": named, "since": newest, "until": until})
    return pl.concat([bars, marks.filter(pl.col("ts") > newest)]).unique("ts", keep="last").sort("ts")


def bar_minutes(span: timedelta) -> int:
    """Return the length of the price's bars for a span, minutes."""
    hours = span / timedelta(hours=1)
    return next((minutes for most, minutes in LENGTHS if hours <= most), 1440)
