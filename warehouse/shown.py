"""Rows as a table that a person reads, on a terminal or in a file."""

from datetime import UTC, datetime
from io import TextIOWrapper
from typing import BinaryIO, cast

import polars as pl
import pyarrow as pa
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from warehouse.far_times import far_as_text
from warehouse.query import Rows
from warehouse.terminal import WIDE

CELL_WIDTH = 80
SHOWN = 100
"""Rows that a table shows where nothing else is asked for."""


def show(rows: Rows, console: Console, limit: int | None = SHOWN) -> None:
    """Print the first `limit` rows as a table: numbers to the right, BLOBs as text, the columns that fit the terminal.

    `limit` None: all rows, and cells whole.
    """
    first, more = _first(rows, limit)
    if first.columns == ["Success"] and first.is_empty():  # a statement without rows, such as SET
        return
    width = CELL_WIDTH if limit else None
    cells = {
        name: [_cell(value, width) for value in column]
        for name, column in readable(first).to_dict(as_series=False).items()
    }
    fitting = _fitting(cells, console.width if console.is_terminal else None)
    if not console.is_terminal:
        console.width = max(WIDE, _width(cells))
    table = Table(show_edge=False, header_style="bold")
    for name in fitting:
        table.add_column(Text(name), justify="right" if first.schema[name].is_numeric() else "left", no_wrap=True)
    for row in zip(*(cells[name] for name in fitting), strict=True):
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    count = f"the first {limit:,} rows; --limit shows more" if more else f"{first.height:,} rows"
    zone = "; times are UTC" if any(map(_is_time, rows.schema.types)) else ""
    console.print(count + zone, style="dim")
    if hidden := [name for name in cells if name not in fitting]:
        console.print(f"too wide for here: {', '.join(hidden)} (select fewer, or --format json)", style="dim")


def to_file(rows: Rows, file: BinaryIO, limit: int | None) -> None:
    """Write the table into a file, as wide as it is."""
    text = TextIOWrapper(file)
    show(rows, Console(file=text, width=WIDE, highlight=False), limit)
    text.detach()


def readable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with BLOBs as text: UTF-8 where it is that, else hex."""
    blobs = (frame[name] for name, kind in frame.schema.items() if kind == pl.Binary)
    return frame.with_columns(pl.Series(blob.name, [_text(value) for value in blob], pl.String) for blob in blobs)


def _width(cells: dict[str, list[str]]) -> int:
    return sum(max(map(cell_len, (name, *column))) + 3 for name, column in cells.items())


def _fitting(cells: dict[str, list[str]], width: int | None) -> list[str]:
    """Return the leading columns that fit in `width` characters, at least one; all of them where it is None."""
    used = 0
    fitting: list[str] = []
    for name, column in cells.items():
        used += _width({name: column})
        if width is None or used <= width or not fitting:
            fitting.append(name)
        else:
            break
    return fitting


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


def _cell(value: object, width: int | None) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}" if 1000 <= abs(value) < 1e15 else f"{value:.10g}"
    if isinstance(value, datetime):
        value = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    text = str(value)
    return text if width is None or len(text) <= width else text[: width - 1] + "…"


def _text(blob: bytes | None) -> str | None:
    try:
        return None if blob is None else blob.decode()
    except UnicodeDecodeError:
        return blob.hex() if blob else ""
