"""Facts to columns: one polars series a field, beside them where each fact's frame lies, joined with what contracts are."""

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any, get_type_hints

import polars as pl

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.facts import Row
from pipelines.reading.parse import Facts
from pipelines.reading.trace import trace
from pipelines.venues.bounds import Bound
from pipelines.venues.symbols import DOLLARS

_POLARS = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean}


def facts_frame(facts: Facts, frames: Sequence[RawFrame]) -> pl.DataFrame:
    """Return a row per fact, in order: the fields of its kind, `venue`, the trace columns of its frame, and `frame`."""
    parts = list(facts.blocks)
    if rows := facts.rows:
        fields = [pl.Series(name, list(map(attrgetter(name), rows)), dtype) for name, dtype in _fields(type(rows[0]))]
        whole = len(facts.frames) == len(frames) and facts.frames == list(range(len(frames)))
        own = frames if whole else [frames[position] for position in facts.frames]
        parts.append(pl.DataFrame([*fields, *trace(own), pl.Series("frame", facts.frames, pl.UInt32)]))
    if len(parts) == 1:
        return parts[0]
    names = [name for name in parts[-1].columns if all(name in part.columns for part in parts)]
    return pl.concat([part.select(names) for part in parts]).sort("frame", maintain_order=True)


@cache
def _fields(kind: type[Row]) -> list[tuple[str, type[pl.DataType]]]:
    return [(name, _dtype(hint)) for name, hint in get_type_hints(kind).items()]


def _dtype(hint: Any) -> type[pl.DataType]:
    """Polars' type of str, int, float, bool, of a Literal of text, and of one of them or None."""
    options = [option for option in getattr(hint, "__args__", (hint,)) if option is not type(None)]
    return _POLARS.get(options[0], pl.String)


def with_contracts(facts: pl.DataFrame, instruments: Instruments, at: str = "ts_event") -> pl.DataFrame:
    """Return `facts` with the columns of `Resolved`, as of the time in column `at` (UTC milliseconds), order kept.

    Added are `symbol_key`, 64 bits of venue and symbol, and `in_dollars`, whether the quote counts as one. A column of the
    fact that is also one of the contract's keeps its name; the contract's gets `_known` behind.
    """
    pairs, places = _pairs(facts)
    known = instruments.dimension(pairs)
    known = known.with_columns(
        symbol_keys(known["venue"], known["symbol"]), in_dollars=known["quote"].is_in(list(DOLLARS))
    )
    if known.height == len(pairs):
        own = (column for column in known[places] if column.name not in ("venue", "symbol", "since_us"))
        return facts.hstack([each.alias(f"{each.name}_known") if each.name in facts.columns else each for each in own])
    return (
        facts.with_row_index("position")
        .with_columns(at_us=pl.col(at) * 1000)
        .sort("at_us")
        .join_asof(
            known.sort("since_us"), left_on="at_us", right_on="since_us", by=["venue", "symbol"], suffix="_known",
            check_sortedness=False,
        )
        .sort("position")
    )  # fmt: skip


def _pairs(facts: pl.DataFrame) -> tuple[list[tuple[str, str]], pl.Series]:
    """Return the pairs of venue and symbol that there are, and for each row the place of its own among them."""
    symbols, of_symbol = _numbered(facts["symbol"])
    if (facts["venue"] == (venue := str(facts["venue"].first()))).all():
        return [(venue, symbol) for symbol in symbols], of_symbol
    venues, of_venue = _numbered(facts["venue"])
    numbers = of_venue * len(symbols) + of_symbol
    there = numbers.unique()
    places = pl.zeros(len(venues) * len(symbols), pl.UInt32, eager=True)
    places = places.scatter(there, pl.int_range(len(there), dtype=pl.UInt32, eager=True))
    return [(venues[n // len(symbols)], symbols[n % len(symbols)]) for n in there], places[numbers]


def _numbered(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the texts that differ, and for each row the number of its own."""
    different = texts.unique(maintain_order=True)
    return different, texts.cast(pl.Enum(different)).to_physical().cast(pl.UInt32)


def symbol_keys(venues: pl.Series, symbols: pl.Series) -> pl.Series:
    """Return 64 bits of blake2b of `venue|symbol`."""
    names = map("|".join, zip(venues, symbols, strict=True))
    digests = [blake2b(name.encode(), digest_size=8).digest() for name in names]
    return pl.Series("symbol_key", [int.from_bytes(digest, "little") for digest in digests], pl.UInt64)


def time(column: str) -> pl.Expr:
    """Return a column of UTC milliseconds as a time."""
    return (pl.col(column) * 1000).cast(pl.Datetime("us"))


def bounded(value: pl.Expr, bound: Bound) -> pl.Expr:
    """Return null for what is beyond a bound, such as no number."""
    return pl.when((value >= bound.least) & (value <= bound.most)).then(value)


def finite(value: pl.Expr) -> pl.Expr:
    """Return null for what left the range of a float."""
    return pl.when(value.is_finite()).then(value)
