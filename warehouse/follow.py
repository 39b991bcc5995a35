"""`liq sql --follow`: runs a query again and again, and prints the rows that were not there before."""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import pyarrow as pa
from rich.cells import cell_len

from warehouse.arrow import Batches, table
from warehouse.cells import for_a_person
from warehouse.exported import csv_lines, json_lines
from warehouse.formats import HELD, Format
from warehouse.lake import Lake
from warehouse.query import Record, Rows, run
from warehouse.terminal import console
from warehouse.values import columns

EVERY_S, EASE = 1.0, 4
"""It queries every second, but waits at least this many times as long as the query took, so that the load stays small."""
RENEWED = 300  # looks: the connection holds more with every commit it sees


def follow(lake: Lake, sql: str, kind: Format, looks: int | None = None) -> None:
    """Print the rows of a query, then those that are new, as often as `looks` says (None: for good).

    A row is new where it was not there at the look before; one that changed is. Raises QueryError.
    """
    before: Counter[Record] = Counter()
    out = _Table() if kind is Format.TABLE else _Lines(kind)
    count = 0
    while looks is None or count < looks:
        began = time.monotonic()
        new, before = _new(out.read(run(lake, sql, held=HELD[kind])), before)
        if new or not count:
            out.write(new)
            sys.stdout.flush()
        count += 1
        if looks is None or count < looks:
            time.sleep(max(EVERY_S, EASE * (time.monotonic() - began)))
        if not count % RENEWED:
            lake.renew()


def _new(found: Iterable[Record], before: Counter[Record]) -> tuple[list[int], Counter[Record]]:
    """Return the places of the rows that were not there before, and all that are there now. Of equal ones, each counts."""
    left, now = Counter(before), Counter[Record]()
    new: list[int] = []
    for at, record in enumerate(found):
        row = tuple(map(_hashable, record))
        now[row] += 1
        if left[row]:
            left[row] -= 1
        else:
            new.append(at)
    return new, now


def _hashable(value: object) -> object:
    return repr(value) if isinstance(value, list | dict | tuple) else value


class _Lines:
    """csv and jsonl."""

    def __init__(self, kind: Format) -> None:
        self._kind = kind
        self._is_more = False

    def read(self, rows: Rows) -> Iterable[Record]:
        """Keep the rows, and return them."""
        self._found = table(rows)
        return zip(*(column.to_pylist() for column in self._found.columns), strict=True)

    def write(self, places: list[int]) -> None:
        """Print those of the rows that were kept."""
        new = self._found.take(pa.array(places, pa.int64()))
        lines = Batches(new.schema, new.to_batches())
        sys.stdout.buffer.write(csv_lines(lines, self._is_more) if self._kind is Format.CSV else json_lines(lines))
        sys.stdout.buffer.flush()
        self._is_more = True


class _Table:
    """A table that grows: its columns keep the widths that they began with, and grow with what is wider."""

    def __init__(self) -> None:
        self._widths: dict[str, int] = {}
        self._out = console()

    def read(self, rows: Rows) -> Iterable[Record]:
        """Keep the rows, and return them."""
        self._rows, self._found = rows, list(chain.from_iterable(rows.records()))
        return self._found

    def write(self, places: list[int]) -> None:
        """Print those of the rows that were kept."""
        given = columns(self._rows, [self._found[place] for place in places])
        cells = {column.name: for_a_person(column.name, column.values) for column in given}
        right = {column.name: column.is_number for column in given}
        if not self._widths:
            self._line(list(cells), right, {name: [name, *column] for name, column in cells.items()}, head=True)
        for row in zip(*cells.values(), strict=True):
            self._line(row, right, dict(zip(cells, ([cell] for cell in row), strict=True)))

    def _line(self, texts: Sequence[str], right: dict[str, bool], of: dict[str, list[str]], head: bool = False) -> None:
        for name, column in of.items():
            self._widths[name] = max(self._widths.get(name, 0), *map(cell_len, column))
        padded = [
            " " * (width - cell_len(text)) + text if right[name] else text + " " * (width - cell_len(text))
            for text, (name, width) in zip(texts, self._widths.items(), strict=True)
        ]
        line = "  ".join(padded).rstrip()
        style = "bold" if head else None
        self._out.print(line, style=style, markup=False, no_wrap=True, overflow="ellipsis", crop=self._out.is_terminal)
