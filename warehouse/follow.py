"""`liq sql --follow`: a query asked again and again, of which the rows that were not there before are printed."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

import polars as pl
import pyarrow as pa
from rich.cells import cell_len

from warehouse.cells import for_a_person
from warehouse.formats import HELD, Format, csv_lines, json_lines
from warehouse.lake import Lake
from warehouse.query import Rows, run
from warehouse.shown import readable
from warehouse.terminal import console

EVERY_S, EASE = 1.0, 4
"""It looks each second, and rests at least so many times as long as the look took, so that it stays light."""
RENEWED = 300  # looks: the connection holds more with every commit it sees

Row = tuple[object, ...]


def follow(lake: Lake, sql: str, kind: Format, looks: int | None = None) -> None:
    """Print the rows of a query, then those that are new, as often as `looks` says (None: for good).

    A row is new where it was not there at the look before; one that changed is. Raises QueryError.
    """
    before: Counter[Row] = Counter()
    written = _writer(kind)
    count = 0
    while looks is None or count < looks:
        began = time.monotonic()
        rows = run(lake, sql, held=HELD[kind])
        found = pa.Table.from_batches(list(rows), rows.schema)
        new, before = _new(found, before)
        if new.num_rows or not count:
            written(new)
            sys.stdout.flush()
        count += 1
        if looks is None or count < looks:
            time.sleep(max(EVERY_S, EASE * (time.monotonic() - began)))
        if not count % RENEWED:
            lake.renew()


def _new(found: pa.Table, before: Counter[Row]) -> tuple[pa.Table, Counter[Row]]:
    """Return the rows that were not there before, and all that are there now. Of equal ones, each counts."""
    left, now = Counter(before), Counter[Row]()
    new: list[int] = []
    for at, row in enumerate(zip(*(map(_hashable, column.to_pylist()) for column in found.columns), strict=True)):
        now[row] += 1
        if left[row]:
            left[row] -= 1
        else:
            new.append(at)
    return found.take(pa.array(new, pa.int64())), now


def _hashable(value: object) -> object:
    return repr(value) if isinstance(value, list | dict) else value


def _writer(kind: Format) -> Callable[[pa.Table], None]:
    if kind is Format.TABLE:
        return _Table().add
    told: list[bool] = []

    def write(new: pa.Table) -> None:
        rows = Rows(new.to_reader())
        sys.stdout.buffer.write(csv_lines(rows, bool(told)) if kind is Format.CSV else json_lines(rows))
        sys.stdout.buffer.flush()
        told.append(True)

    return write


class _Table:
    """A table that grows: its columns keep the widths that they began with, and grow with what is wider."""

    def __init__(self) -> None:
        self._widths: dict[str, int] = {}
        self._out = console()

    def add(self, new: pa.Table) -> None:
        frame = readable(pl.DataFrame(new))
        cells = {column.name: for_a_person(column.name, column) for column in frame}
        right = {name: kind.is_numeric() for name, kind in frame.schema.items()}
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
