"""The price of a coin over time: the median of the closes of its most common contract at each venue."""

from datetime import datetime, timedelta

import polars as pl

from pipelines.plots.read.asking import Asked, rows
from warehouse.lake import Lake, quoted

LENGTHS = ((4, 1), (12, 5), (36, 5), (24 * 4, 15), (24 * 15, 60), (24 * 60, 240))  # span up to so many hours: minutes
EMPTY = pl.DataFrame(schema={"ts": pl.Datetime("us"), "price": pl.Float64, "low": pl.Float64, "high": pl.Float64})

CONTRACT = """
SELECT instrument FROM instruments_as_of
WHERE is_current AND base = $base AND instrument IS NOT NULL AND list_contains(dollars(), quote) AND kind = 'perpetual'
GROUP BY instrument ORDER BY count(*) DESC, instrument LIKE '%/USDT:USDT' DESC, instrument LIMIT 1
"""


def prices(warehouse: Lake, asked: Asked, since: datetime, until: datetime) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return ts (end of the bar), price, low and high in USD per coin, one row a bar, and a note where there are none.

    Of the instrument asked for, else of the coin's perpetual that most venues list. Empty where no coin was named.
    """
    if asked.instrument is None and asked.base is None:
        return EMPTY, ()
    found = rows(warehouse, CONTRACT, {"base": asked.base}) if asked.instrument is None else None
    named = asked.instrument if found is None else found["instrument"][0] if found.height else None
    bars = EMPTY if named is None else _bars(warehouse, named, since, until)
    return (bars, ()) if bars.height else (EMPTY, ("Missing: the price, as there are no candles",))


def _bars(warehouse: Lake, named: str, since: datetime, until: datetime) -> pl.DataFrame:
    length = bar_minutes(until - since)
    first = since - timedelta(minutes=length)
    return rows(
        warehouse,
        f"""
        SELECT least(bar_end, $until) AS ts, median("close") AS price, median(low) AS low, median(high) AS high
        FROM price_bars({quoted(named)}, '{length} minutes', '{first:%Y-%m-%d %H:%M:%S}')
        WHERE bar_end > $since AND bar < $until GROUP BY ALL ORDER BY ts
        """,
        {"since": since, "until": until},
    )


def bar_minutes(span: timedelta) -> int:
    """Return the length of the price's bars for a span, minutes."""
    hours = span / timedelta(hours=1)
    return next((minutes for most, minutes in LENGTHS if hours <= most), 1440)
