"""Rows as a table that a person reads, on a terminal or in a file."""

from collections.abc import Sequence
from io import TextIOWrapper
from typing import BinaryIO, cast

import polars as pl
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from warehouse.cells import CELL_WIDTH, for_a_person, whole
from warehouse.far_times import far_as_text
from warehouse.fitting import Column, fitting
from warehouse.query import Rows
from warehouse.terminal import WIDE

NAMED = 6
SHOWN = 100
"""Rows that a table shows where nothing else is asked for."""


def show(rows: Rows, console: Console, limit: int | None = SHOWN, *, everything: bool = False) -> None:
    """Print the first `limit` rows as a table, numbers to the right; None: all rows.

    On a terminal it is one for a person: the columns that fit, those of trust among them, four digits, percent as percent, no
    columns without a value. With `everything`, and in a file or pipe, all columns whole; where that is too wide for the
    terminal, each row as a list.
    """
    first, more = _first(rows, limit)
    if first.columns == ["Success"] and first.is_empty():  # a statement without rows, such as SET
        return
    frame, for_tools = readable(first), everything or not console.is_terminal
    notes = [f"the first {limit:,} rows; --limit shows more" if more else _count(first.height)]
    if for_tools:
        _whole(frame, console, CELL_WIDTH if limit and not everything else None)
    else:
        notes += _for_a_person(frame, console)
    if any(map(_is_time, rows.schema.types)):
        notes.insert(1, "times are UTC")
    console.print("; ".join(notes), style="dim", highlight=False)


def show_titled(console: Console, title: str, rows: Rows) -> None:
    """Print rows for a person under a title, without a count of them; where there are none, that."""
    frame = readable(rows.frame())
    console.print(title, style="bold")
    if frame.is_empty():
        console.print("  nothing yet", style="dim")
    elif notes := _for_a_person(frame, console):
        console.print("; ".join(notes), style="dim")


def _for_a_person(frame: pl.DataFrame, console: Console) -> list[str]:
    """Print the columns that fit, and return what is to be said of the others."""
    empty = [column.name for column in frame if frame.height and column.null_count() == frame.height]
    kept = frame.drop(empty) if len(empty) < frame.width else frame
    cells = {column.name: for_a_person(column.name, column) for column in kept}
    times = [name for name, kind in kept.schema.items() if isinstance(kind, pl.Datetime)]
    columns = fitting(cells, console.width, times)
    _print(console, columns, kept)
    hidden = [name for name in cells if name not in {column.name for column in columns}]
    days = sorted({column.day for column in columns if column.day})
    return [
        *([f"of {', '.join(days)}"] if days else []),
        *([f"without a value: {_some(empty)}"] if empty and kept is not frame else []),
        *([f"too wide for here: {_some(hidden)} (--all shows all)"] if hidden else []),
    ]


def _some(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _whole(frame: pl.DataFrame, console: Console, width: int | None) -> None:
    cells = {name: [whole(value, width) for value in column] for name, column in frame.to_dict(as_series=False).items()}
    columns = [Column(name, name, column) for name, column in cells.items()]
    needed = sum(column.width for column in columns)
    if not console.is_terminal:
        console.width = max(WIDE, needed)
    elif needed > console.width and frame.height:
        _listed(console, cells, frame.height)
        return
    _print(console, columns, frame)


def _listed(console: Console, cells: dict[str, list[str]], height: int) -> None:
    """Print each row as a list, a column a line."""
    for row in range(height):
        console.print(f"row {row + 1:,}", style="bold")
        lines = Table.grid(padding=(0, 2))
        for name, column in cells.items():
            lines.add_row(Text(f"  {name}", style="cyan"), Text(column[row]))
        console.print(lines)


def _print(console: Console, columns: Sequence[Column], frame: pl.DataFrame) -> None:
    table = Table(show_edge=False, header_style="bold")
    for column in columns:
        side = "right" if frame.schema[column.name].is_numeric() else "left"
        table.add_column(Text(column.heading), justify=side, no_wrap=True, vertical="bottom")  # type: ignore[arg-type]
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def _count(rows: int) -> str:
    return f"{rows:,} row{'s' if rows != 1 else ''}"


def to_file(rows: Rows, file: BinaryIO, limit: int | None) -> None:
    """Write the table into a file, as wide as it is."""
    text = TextIOWrapper(file)
    show(rows, Console(file=text, width=WIDE, highlight=False), limit)
    text.detach()


def readable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with BLOBs as text: UTF-8 where it is that, else hex."""
    blobs = (frame[name] for name, kind in frame.schema.items() if kind == pl.Binary)
    return frame.with_columns(pl.Series(blob.name, [_text(value) for value in blob], pl.String) for blob in blobs)


def _first(rows: Rows, limit: int | None) -> tuple[pl.DataFrame, bool]:
    batches, count = [], 0
    for batch in rows:
        batches.append(batch)
        count += batch.num_rows
        if limit and count > limit:
            break
    table = far_as_text(pa.Table.from_batches(batches, rows.schema).slice(0, limit), iso=False)
    return cast(pl.DataFrame, pl.from_arrow(table)), bool(limit and count > limit)


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind))


def _text(blob: bytes | None) -> str | None:
    try:
        return None if blob is None else blob.decode()
    except UnicodeDecodeError:
        return blob.hex() if blob else ""
