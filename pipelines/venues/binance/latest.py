"""The last of many Binance mark-price arrays, with the result of streams.mark_prices."""

from collections import Counter
from collections.abc import Sequence
from itertools import starmap

import polars as pl

from collectors.envelope import RawFrame
from pipelines.facts import Row
from pipelines.venues.binance.streams import Mark, decode_marks, marked
from pipelines.venues.bounds import EARLIEST_MS, PRICE, RATE, Bound, is_symbol
from pipelines.venues.latest import Kept
from pipelines.venues.wire import BAD, Held, horizon_ms

AT_ONCE = 4  # arrays of 700 each, decoded at a time
UNFIT = (*BAD, pl.exceptions.PolarsError)


def mark_prices(frames: Sequence[RawFrame], held: Held) -> Kept:
    """Read from the end: of an older array only symbols that no newer one has. An array in doubt is left."""
    found: list[list[tuple[int, Row]]] = []
    left: list[int] = []
    priced: set[str] = set()
    paid: set[str] = set()
    for end in range(len(frames), 0, -AT_ONCE):
        start = max(end - AT_ONCE, 0)
        for position, items in _sound(frames, range(start, end), left):
            symbols = [item.s for item in items]
            paying = [item.s for item in items if item.r and item.T]
            if priced.issuperset(symbols) and paid.issuperset(paying):
                continue
            horizon = horizon_ms(frames[position])
            new = [item for item in items if item.s not in priced or (item.r and item.T and item.s not in paid)]
            found.append([(position, row) for item in new for row in marked(item, horizon)])
            priced.update(symbols)
            paid.update(paying)
    rows = [row for of_frame in reversed(found) for row in of_frame]
    return Kept(rows, bytearray(b"\1") * len(frames), Counter(), left)


def _sound(frames: Sequence[RawFrame], chunk: range, left: list[int]) -> list[tuple[int, list[Mark]]]:
    """Return the chunk's arrays, newest first; they are looked through one by one only where something is wrong."""
    try:
        arrays = [decode_marks(frames[n].payload) for n in chunk]
        _check([item for items in arrays for item in items], min(horizon_ms(frames[n]) for n in chunk))
        if not all(arrays):
            raise ValueError("an empty list")
        return list(zip(chunk, arrays, strict=True))[::-1]
    except UNFIT:
        if len(chunk) == 1:
            left.append(chunk[0])
            return []
        return [found for n in reversed(chunk) for found in _sound(frames, range(n, n + 1), left)]


def _check(items: list[Mark], horizon: int) -> None:
    """Raise ValueError unless it is certain that every item gives its rows."""
    times = [item.E for item in items]
    stands = min(times) >= EARLIEST_MS and max(times) <= horizon
    marks, indexes = _numbers([item.p for item in items]), _numbers([item.i or "0" for item in items])
    rates = _numbers([item.r for item in items if item.r and item.T])
    prices = (marks, indexes.filter(indexes != 0.0), rates)
    likely = all(starmap(_within, zip(prices, (PRICE, PRICE, RATE), strict=True)))
    if not (stands and likely and all(map(is_symbol, {item.s for item in items}))):
        raise ValueError("not certain")


def _numbers(texts: list[str]) -> pl.Series:
    """Raise PolarsError for a text that is not plainly a number."""
    return pl.Series(texts, dtype=pl.String).cast(pl.Float64)


def _within(values: pl.Series, bound: Bound) -> bool:
    return bool(values.is_between(bound.least, bound.most).all())
