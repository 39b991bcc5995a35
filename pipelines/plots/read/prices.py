"""The price of a coin over time: the median of its most common contract at each venue, of closes, or of marks and fills."""

from datetime import datetime, timedelta

import polars as pl

from pipelines.plots.read.asking import Asked, rows
from warehouse.lake import Lake, quoted

LENGTHS = ((4, 1), (12, 5), (36, 5), (24 * 4, 15), (24 * 15, 60), (24 * 60, 240))  # span up to so many hours: minutes
EMPTY = pl.DataFrame(schema={"ts": pl.Datetime("us"), "price": pl.Float64, "low": pl.Float64, "high": pl.Float64})

DAY_MINUTES = 1440
BY_THE_SECOND = timedelta(minutes=20)
MISSING = ("Missing: the price, as there are neither candles nor marks",)
BY_MARKS = ("Price: the venues' marks, as there are no candles",)
BY_BOTH = ("Price: candles, and where there are none the venues' marks",)
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
FROM (
    SELECT *, max(ts_event) OVER (PARTITION BY bar) AS last
    FROM (SELECT *, time_bucket(to_minutes($minutes), ts_event) AS bar FROM ({TOLD}))
) GROUP BY bar ORDER BY ts
"""
SECONDS = f"""
WITH told AS (
    {TOLD}
    UNION ALL
    SELECT ts_event, price, false FROM liquidations_filled_in
    WHERE ts_event >= $since AND ts_event < $until AND instrument = $named AND price_kind = 'fill_average' AND price > 0
), better AS (
    SELECT *, date_trunc('second', ts_event) AS second FROM told QUALIFY marked = bool_or(marked) OVER (PARTITION BY second)
)
SELECT max(ts_event) AS ts, median(price) AS price, median(price) AS low, median(price) AS high
FROM better GROUP BY second ORDER BY ts
"""


def prices(
    warehouse: Lake, asked: Asked, since: datetime, until: datetime, longest: int = DAY_MINUTES
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return ts (end of the bar), price, low and high in USD per coin, one row a bar, and notes on it.

    Of the instrument asked for, else of the coin's perpetual that most venues list. Empty where no coin was named. A short
    time is by the second, from marks and fills; a longer one in bars of candles, at most `longest` minutes, with marks where
    there are none.
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
    return _bars(warehouse, named, (since, until), min(bar_minutes(until - since), longest))


def _bars(
    warehouse: Lake, named: str, span: tuple[datetime, datetime], length: int
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return bars of candles, each at the end of what is known of it, where there are none of marks; and notes."""
    since, until = span
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
    bar = timedelta(minutes=length)
    whole = bars.height >= (until - since) // bar - 1
    newest: datetime = bars["ts"].max() if bars.height else since  # type: ignore[assignment]
    begin = newest if whole else since
    marks = rows(warehouse, MARKS, {"named": named, "minutes": length, "since": begin, "until": until})
    ends = bars["ts"] - timedelta(microseconds=1)  # a candle's time is the end of its bar, a mark's lies in it
    covered = pl.col("ts").dt.truncate(f"{length}m").is_in(ends.dt.truncate(f"{length}m").implode())
    beside = marks.filter((pl.col("ts") > newest) | ~covered)
    both = pl.concat([bars, beside]).unique("ts", keep="last").sort("ts")
    if both.is_empty():
        return EMPTY, MISSING
    return both, BY_MARKS if bars.is_empty() else BY_BOTH if beside.height > 1 else ()


def bar_minutes(span: timedelta) -> int:
    """Return the length of the price's bars for a span, minutes."""
    hours = span / timedelta(hours=1)
    return next((minutes for most, minutes in LENGTHS if hours <= most), DAY_MINUTES)
