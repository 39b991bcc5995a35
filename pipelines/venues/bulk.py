"""How a venue's liquidation frames are read many at once, column by column, beside the parser that reads one."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import polars as pl

from pipelines.venues.bounds import EARLIEST_MS, LATE_MS, Bound, is_symbol
from pipelines.venues.completeness import Rule, of_feed
from pipelines.venues.wire import LATEST_MS

Item = TypeVar("Item")


class Bulk(NamedTuple):
    """`decode`: a frame's message, raises what wire.BAD names. `columns`: of messages, how many liquidations each holds and
    the liquidations' fields as sent, one series a field. `facts`: of those columns and `ts_recv`, the fields of
    rows.Liquidation but `identity` and `occurrence`, and `stands`: true where it is certain that the parser of one frame
    says the same.

    What does not stand, or does not decode, is read by that parser, which alone says what is wrong with it.
    """

    decode: Callable[[bytes], Any]
    columns: Callable[[list[Any]], tuple[list[int], list[pl.Series]]]
    facts: Callable[[pl.DataFrame], pl.DataFrame]


def flat(lists: list[Sequence[Item]]) -> tuple[list[int], list[Item]]:
    """Return how many items each list holds, mostly one, and all of them."""
    counts = list(map(len, lists))
    if counts.count(1) == len(counts):
        return counts, [items[0] for items in lists]
    return counts, [item for items in lists for item in items]


def texts(name: str, values: Iterable[str | None]) -> pl.Series:
    """Return a column of text."""
    return pl.Series(name, values, pl.String)


def repeated(name: str, values: Sequence[Any], dtype: type[pl.DataType]) -> pl.Series:
    """Return a column of values that are mostly one and the same. Raises OverflowError or TypeError beyond 64 bits."""
    if values and values.count(values[0]) == len(values):
        return pl.Series(name, values[:1], dtype).new_from_index(0, len(values))
    return pl.Series(name, values, dtype)


def numbers(name: str, values: Iterable[int | None]) -> pl.Series:
    """Return a column of whole numbers. Raises OverflowError or TypeError beyond 64 bits."""
    return pl.Series(name, values, pl.Int64)


def figure(column: str) -> pl.Expr:
    """Return a text column as floats, null where that is not plainly a number."""
    return pl.col(column).cast(pl.Float64, strict=False)


def figure_or_zero(column: str) -> pl.Expr:
    """Return the same with an empty text as zero."""
    return pl.when(pl.col(column) == "").then(0.0).otherwise(figure(column))


def in_time(time: pl.Expr) -> pl.Expr:
    """Say whether a time (UTC milliseconds) is one that wire.moment takes, by the frame's `ts_recv`."""
    horizon = (pl.col("ts_recv").dt.epoch("ms") + LATE_MS).fill_null(LATEST_MS)
    return (time >= EARLIEST_MS) & (time <= horizon)


def within(value: pl.Expr, bound: Bound) -> pl.Expr:
    """Say whether a number is within its bound; null where there is none."""
    return (value >= bound.least) & (value <= bound.most)


def zero_or_within(value: pl.Expr, bound: Bound) -> pl.Expr:
    """Say whether a number is 0, which stands for none, or within its bound."""
    return (value == 0.0) | within(value, bound)


def of_symbol(raw: pl.DataFrame, known: Callable[[str], Any], dtype: type[pl.DataType]) -> pl.Expr:
    """Return what a function of the symbol says, asked once a symbol; null of a text that is no symbol."""
    return of_text(raw["symbol"], lambda symbol: known(symbol) if is_symbol(symbol) else None, dtype)


def of_text(column: pl.Series, known: Callable[[str], Any], dtype: type[pl.DataType]) -> pl.Expr:
    """Return what a function of a column's text says, asked once a text; mostly it says one thing of all. Null of null."""
    texts = column.unique(maintain_order=True)
    said = pl.Series([None if text is None else known(text) for text in texts], dtype=dtype)
    if said.n_unique() == 1:
        return pl.lit(said[0], dtype)
    if texts.null_count():
        return pl.lit(column.replace_strict(texts, said, return_dtype=dtype))
    return pl.lit(said[column.cast(pl.Enum(texts)).to_physical()])


def completeness(rules: Sequence[Rule], channel: str, time: pl.Expr) -> pl.Expr:
    """Return the completeness class at a time (UTC milliseconds), as completeness.completeness does."""
    own = of_feed(rules, channel, "ws")
    found = pl.lit(own[0].completeness)
    for rule in own[1:]:
        since = int(rule.since.timestamp() * 1000)
        found = pl.when(time >= since).then(pl.lit(rule.completeness)).otherwise(found)
    return found
