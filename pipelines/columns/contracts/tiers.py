"""The margin table of each contract as last known, so that only what changed is appended to `leverage_tiers`."""

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from pipelines.facts import LeverageTier

Steps = tuple[LeverageTier, ...]


class MarginTable(NamedTuple):
    """A margin table as it came: venue, symbol (of a contract, or the family that shares it), when (UTC us), its steps."""

    venue: str
    symbol: str
    at: int
    steps: Steps


class Tiers:
    """The book of margin tables. It never changes: `changed` returns a new one, so that a failed write loses nothing."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, str], tuple[tuple[int, Steps], ...]] = {}

    def changed(self, tables: Iterable[MarginTable]) -> tuple["Tiers", list[int]]:
        """Return the book with `tables`, and the positions of those that are not as they were last known.

        A table is compared as a whole: a step more, a step less or a number in one step makes all of it new.
        """
        book, new = Tiers(), []
        book._tables = dict(self._tables)
        for position, table in enumerate(tables):
            key = (table.venue, table.symbol)
            versions = book._tables.get(key, ())
            before = [steps for since, steps in versions if since <= table.at]
            if not before or before[-1] != table.steps:
                found = (*versions, (table.at, table.steps))
                book._tables[key] = tuple(sorted(found, key=lambda version: version[0]))
                new.append(position)
        return book, new


def from_table(table: pl.DataFrame) -> Tiers:
    """Return the book of the warehouse's `leverage_tiers`, rows in any order. Raises polars' errors for other columns."""
    names = LeverageTier.__struct_fields__
    rows = table.with_columns(at=pl.col("valid_from").dt.epoch("us")).sort("at", "venue", "symbol", "tier")
    steps: dict[tuple[str, str, int], list[LeverageTier]] = {}
    for venue, at, *values in rows.select("venue", "at", *names).iter_rows():
        step = LeverageTier(*values)
        steps.setdefault((venue, step.symbol, at), []).append(step)
    return Tiers().changed(MarginTable(*key, tuple(found)) for key, found in steps.items())[0]
