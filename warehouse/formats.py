"""Query results as people and tools take them: table, csv, json (lines), parquet, arrow (stream)."""

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from rich.text import Text

from warehouse import casts
from warehouse.errors import QueryError
from warehouse.far_times import far_as_text
from warehouse.messages import free, one_line
from warehouse.query import Held, Rows
from warehouse.terminal import WIDE, console

CELL_WIDTH = 80


class Format(StrEnum):
    """How rows are written. json: one object a line; arrow: the IPC stream."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    ARROW = "arrow"


HELD: dict[Format, Held] = {
    Format.TABLE: (casts.TEXT, casts.NESTED_TEXT),
    Format.CSV: (casts.TEXT, casts.NESTED_TEXT),
    Format.JSON: (casts.TEXT, casts.NESTED_TEXT),
    Format.PARQUET: (casts.PARQUET, casts.PARQUET),
    Format.ARROW: (casts.ARROW, casts.ARROW),
}
"""The types that a format takes as text: what `query.run` is to be given."""


def write(rows: Rows, kind: Format, output: Path | None = None, limit: int = 100) -> None:
    """Write `rows` to the file `output`, or to standard output, as they come; a table shows the first `limit`.

    Raises QueryError where the query fails on the way, the file cannot be written, a value does not fit the format, or
    binary would go to a terminal.
    """
    if output is None and kind in (Format.PARQUET, Format.ARROW) and sys.stdout.isatty():
        raise QueryError(f"{kind} is binary: name a file with --output, or pipe it")
    with _opened(output) as file:
        try:
            if kind is Format.TABLE:
                _table(rows, file, limit)
            else:
                _WRITERS[kind](rows, file)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException) as error:
            raise QueryError(
                f"{kind} cannot hold these rows: {one_line(error)}; cast the column, as to VARCHAR"
            ) from error


def show(rows: Rows, console: Console, limit: int = 100) -> None:
    """Print the first `limit` rows as a table: numbers to the right, BLOBs as text, the columns that fit the terminal."""
    first, more = _first(rows, limit)
    if first.columns == ["Success"] and first.is_empty():  # a statement without rows, such as SET
        return
    cells = {
        name: [_cell(value) for value in column] for name, column in _readable(first).to_dict(as_series=False).items()
    }
    fitting = _fitting(cells, console.width if console.is_terminal else None)
    table = Table(show_edge=False, header_style="bold")
    for name in fitting:
        table.add_column(Text(name), justify="right" if first.schema[name].is_numeric() else "left", no_wrap=True)
    for row in zip(*(cells[name] for name in fitting), strict=True):
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    console.print(f"the first {limit:,} rows; --limit shows more" if more else f"{first.height:,} rows", style="dim")
    if hidden := [name for name in cells if name not in fitting]:
        console.print(f"too wide for here: {', '.join(hidden)} (select fewer, or --format json)", style="dim")


def _fitting(cells: dict[str, list[str]], width: int | None) -> list[str]:
    """Return the leading columns that fit in `width` characters, at least one; all of them where it is None."""
    used = 0
    fitting: list[str] = []
    for name, column in cells.items():
        used += max(len(name), *map(len, column), 0) + 3
        if width is None or used <= width or not fitting:
            fitting.append(name)
        else:
            break
    return fitting


def _first(rows: Rows, limit: int) -> tuple[pl.DataFrame, bool]:
    batches, count = [], 0
    for batch in rows:
        batches.append(batch)
        count += batch.num_rows
        if count > limit:
            break
    table = far_as_text(pa.Table.from_batches(batches, rows.schema).slice(0, limit), iso=False)
    return cast(pl.DataFrame, pl.from_arrow(table)), count > limit


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}" if 1000 <= abs(value) < 1e15 else f"{value:.10g}"
    text = str(value)
    return text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 1] + "…"


def _readable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with BLOBs as text: UTF-8 where it is that, else hex."""
    blobs = (frame[name] for name, kind in frame.schema.items() if kind == pl.Binary)
    return frame.with_columns(pl.Series(blob.name, [_text(value) for value in blob], pl.String) for blob in blobs)


def _text(blob: bytes | None) -> str | None:
    try:
        return None if blob is None else blob.decode()
    except UnicodeDecodeError:
        return blob.hex() if blob else ""


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with output.open("wb") as file:
            yield file
    except OSError as error:
        full = f" ({free(output)})" if error.errno == errno.ENOSPC else ""
        raise QueryError(f"cannot write {output}: {error.strerror or error}{full}") from error


def _table(rows: Rows, file: BinaryIO, limit: int) -> None:
    if file is sys.stdout.buffer:
        show(rows, console(), limit)
        return
    text = TextIOWrapper(file)
    show(rows, Console(file=text, width=WIDE), limit)
    text.detach()


def _csv(rows: Rows, file: BinaryIO) -> None:
    if any(pa.types.is_nested(kind) for kind in rows.schema.types):
        raise QueryError("csv cannot hold lists or structs: choose json, parquet or arrow, or select their fields")
    file.write((",".join(_quoted(name) for name in rows.schema.names) + "\n").encode())
    for frame in _frames(rows):
        file.write(frame.write_csv(include_header=False).encode())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"\n\r') else name


def _json(rows: Rows, file: BinaryIO) -> None:
    for frame in _frames(rows):
        times = cs.datetime().dt.to_string("iso:strict")
        whole = (pl.col(name).cast(pl.Int128) for name, kind in frame.schema.items() if kind == pl.Decimal(38, 0))
        file.write(
            frame.with_columns(times, *whole).with_columns(cs.decimal().cast(pl.Float64)).write_ndjson().encode()
        )


def _frames(rows: Rows) -> Iterator[pl.DataFrame]:
    tables = (far_as_text(pa.Table.from_batches([batch]), iso=True) for batch in rows)
    return (_readable(cast(pl.DataFrame, pl.from_arrow(table))) for table in tables)


def _parquet(rows: Rows, file: BinaryIO) -> None:
    with pq.ParquetWriter(file, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch)


def _arrow(rows: Rows, file: BinaryIO) -> None:
    with pa.ipc.new_stream(file, rows.schema) as writer:
        for batch in rows:
            writer.write_batch(batch)


_WRITERS: dict[Format, Callable[[Rows, BinaryIO], None]] = {
    Format.CSV: _csv,
    Format.JSON: _json,
    Format.PARQUET: _parquet,
    Format.ARROW: _arrow,
}
