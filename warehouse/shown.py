"""Rows as a table that a person reads, on a terminal or in a file."""

from collections.abc import Collection, Sequence
from io import TextIOWrapper
from itertools import chain
from typing import BinaryIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from warehouse.casts import TIMES
from warehouse.cells import CELL_WIDTH, for_a_person, whole
from warehouse.fitting import Column, fitting
from warehouse.query import Record, Rows
from warehouse.terminal import WIDE
from warehouse.values import Values, columns

NAMED = 6
SHOWN = 100
"""Rows that a table shows where nothing else is asked for."""


def show(rows: Rows, console: Console, limit: int | None = SHOWN, *, everything: bool = False) -> None:
    """Print the first `limit` rows as a table, numbers to the right; None: all rows.

    On a terminal it is one for a person: the columns that fit, those of trust among them, four digits, percent as percent, no
    columns without a value. With `everything`, and in a file or pipe, all columns whole; where that is too wide for the
    terminal, each row as a list.
    """
    records, more = _first(rows, limit)
    if rows.names == ["Success"] and not records:  # a statement without rows, such as SET
        return
    given, for_tools = columns(rows, records), everything or not console.is_terminal
    notes = [f"the first {limit:,} rows; --limit shows more" if more else _count(len(records))]
    if for_tools:
        _whole(given, console, CELL_WIDTH if limit and not everything else None)
    else:
        notes += _for_a_person(given, console)
    if any(kind.id in TIMES for kind in rows.kinds):
        notes.insert(1, "times are UTC")
    console.print("; ".join(notes), style="dim", highlight=False)


def show_titled(console: Console, title: str, rows: Rows) -> None:
    """Print rows for a person under a title, without a count of them; where there are none, that."""
    records, _ = _first(rows, None)
    console.print(title, style="bold")
    if not records:
        console.print("  nothing yet", style="dim")
    elif notes := _for_a_person(columns(rows, records), console):
        console.print("; ".join(notes), style="dim")


def _for_a_person(given: Sequence[Values], console: Console) -> list[str]:
    """Print the columns that fit, and return what is to be said of the others."""
    empty = [column.name for column in given if column.is_empty]
    kept = [column for column in given if column.name not in empty] or given
    cells = {column.name: for_a_person(column.name, column.values) for column in kept}
    fit = fitting(cells, console.width, [column.name for column in kept if column.is_time])
    _print(console, fit, _numbers(kept))
    hidden = [name for name in cells if name not in {column.name for column in fit}]
    days = sorted({column.day for column in fit if column.day})
    return [
        *([f"of {', '.join(days)}"] if days else []),
        *([f"without a value: {_some(empty)}"] if empty and kept is not given else []),
        *([f"too wide for here: {_some(hidden)} (--all shows all)"] if hidden else []),
    ]


def _some(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _whole(given: Sequence[Values], console: Console, width: int | None) -> None:
    cells = {column.name: [whole(value, width) for value in column.values] for column in given}
    drawn = [Column(name, name, column) for name, column in cells.items()]
    needed = sum(column.width for column in drawn)
    if not console.is_terminal:
        console.width = max(WIDE, needed)
    elif needed > console.width and given[0].values:
        _listed(console, cells)
        return
    _print(console, drawn, _numbers(given))


def _listed(console: Console, cells: dict[str, list[str]]) -> None:
    """Print each row as a list, a column a line."""
    for row, texts in enumerate(zip(*cells.values(), strict=True)):
        console.print(f"row {row + 1:,}", style="bold")
        lines = Table.grid(padding=(0, 2))
        for name, text in zip(cells, texts, strict=True):
            lines.add_row(Text(f"  {name}", style="cyan"), Text(text))
        console.print(lines)


def _print(console: Console, columns: Sequence[Column], numbers: Collection[str]) -> None:
    table = Table(show_edge=False, header_style="bold")
    for column in columns:
        side = "right" if column.name in numbers else "left"
        table.add_column(Text(column.heading), justify=side, no_wrap=True, vertical="bottom")  # type: ignore[arg-type]
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def _numbers(given: Sequence[Values]) -> set[str]:
    return {column.name for column in given if column.is_number}


def _count(rows: int) -> str:
    return f"{rows:,} row{'s' if rows != 1 else ''}"


def to_file(rows: Rows, file: BinaryIO, limit: int | None) -> None:
    """Write the table into a file, as wide as it is."""
    text = TextIOWrapper(file)
    show(rows, Console(file=text, width=WIDE, highlight=False), limit)
    text.detach()


def _first(rows: Rows, limit: int | None) -> tuple[list[Record], bool]:
    """Return the first rows, and whether there are more."""
    if limit is None:
        return list(chain.from_iterable(rows.records())), False
    found = next(rows.records(limit + 1), [])
    return found[:limit], len(found) > limit
