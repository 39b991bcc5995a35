"""Query results as people and tools take them: a table, csv, JSON, Parquet, Arrow."""

import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse import casts
from warehouse.errors import QueryError
from warehouse.far_times import far_as_text
from warehouse.messages import free, one_line
from warehouse.query import Held, Rows
from warehouse.shown import SHOWN, readable, show, to_file
from warehouse.terminal import console


class Format(StrEnum):
    """How rows are written. json: one array; jsonl: an object a line; arrow: the IPC file; arrows: the IPC stream."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"
    ARROW = "arrow"
    ARROWS = "arrows"


BINARY = (Format.PARQUET, Format.ARROW, Format.ARROWS)
ENDINGS = {
    "txt": Format.TABLE, "csv": Format.CSV, "json": Format.JSON, "jsonl": Format.JSONL, "ndjson": Format.JSONL,
    "parquet": Format.PARQUET, "arrow": Format.ARROW, "arrows": Format.ARROWS,
}  # fmt: skip
"""How a file's name ends, and the format that this chooses."""
_TEXT = (casts.TEXT, casts.NESTED_TEXT)
HELD: dict[Format, Held] = {
    **dict.fromkeys((Format.TABLE, Format.CSV, Format.JSON, Format.JSONL), _TEXT),
    Format.PARQUET: (casts.PARQUET, casts.PARQUET),
    **dict.fromkeys((Format.ARROW, Format.ARROWS), (casts.ARROW, casts.ARROW)),
}
"""The types that a format takes as text: what `query.run` is to be given."""


def chosen(kind: Format | None, output: Path | None) -> Format:
    """Return the format: as asked for, else as the file's name ends, else a table.

    Raises ValueError for an ending that is no format's, and for one that is another's than what was asked for.
    """
    ending = output.suffix.lower().removeprefix(".") if output else ""
    by_name = ENDINGS.get(ending)
    if kind is None and output and by_name is None and _is_plain(output):
        known = ", ".join(f".{each}" for each in ENDINGS)
        raise ValueError(f"{output} ends as no format does: {known}; or say --format")
    if kind and by_name and kind is not by_name:
        raise ValueError(f"{output} ends as {by_name} does, and --format says {kind}: leave one out")
    return kind or by_name or Format.TABLE


def write(
    rows: Rows, kind: Format, output: Path | None = None, limit: int | None = None, *, everything: bool = False
) -> None:
    """Write `rows` to the file `output`, or to standard output, as they come.

    A table shows the first `limit`; None: 100 of them, or all in a file; `everything`: see `show`. A file is written whole or
    not at all. Raises QueryError where the query fails on the way, the file cannot be written, a value does not fit the
    format, or binary would go to a terminal.
    """
    if output is None and kind in BINARY and sys.stdout.isatty():
        raise QueryError(f"{kind} is binary: name a file with --output, or pipe it")
    with _opened(output) as file:
        try:
            if kind is Format.TABLE:
                _table(rows, file, limit, everything)
            else:
                _WRITERS[kind](rows, file)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException) as error:
            raise QueryError(
                f"{kind} cannot hold these rows: {one_line(error)}; cast the column, as to VARCHAR"
            ) from error


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    whole, target = _is_plain(output), output.resolve()
    into = target.with_name(f".{target.name}.{os.getpid()}.new") if whole else output
    try:
        with into.open("wb") as file:
            yield file
        if whole:
            if target.exists():
                shutil.copymode(target, into)
            into.replace(target)
    except OSError as error:
        full = f" ({free(output)})" if error.errno == errno.ENOSPC else ""
        raise QueryError(f"cannot write {output}: {error.strerror or error}{full}") from error
    finally:
        if whole:
            into.unlink(missing_ok=True)


def _is_plain(output: Path) -> bool:
    """Tell whether it is a file, or will be one: no device and no pipe."""
    return not output.exists() or output.is_file()


def _table(rows: Rows, file: BinaryIO, limit: int | None, everything: bool) -> None:
    if file is not sys.stdout.buffer:
        to_file(rows, file, limit)
    elif _is_file(file):  # liq sql … > file
        show(rows, console(), limit)
    else:
        show(rows, console(), limit or SHOWN, everything=everything)


def _is_file(file: BinaryIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except OSError:  # none of the system's, as in a test
        return False


def _csv(rows: Rows, file: BinaryIO) -> None:
    file.write(_csv_head(rows))
    for frame in _frames(rows):
        file.write(frame.write_csv(include_header=False).encode())


def csv_lines(rows: Rows, is_more: bool) -> bytes:
    """Return rows as lines of csv; `is_more`: below others, without the names."""
    head = _csv_head(rows)
    lines = [frame.write_csv(include_header=False).encode() for frame in _frames(rows)]
    return b"".join(lines if is_more else [head, *lines])


def json_lines(rows: Rows) -> bytes:
    """Return rows as JSON, an object a line."""
    return b"".join(_json_lines(rows))


def _csv_head(rows: Rows) -> bytes:
    if any(pa.types.is_nested(kind) for kind in rows.schema.types):
        raise QueryError("csv cannot hold lists or structs: choose json, parquet or arrow, or select their fields")
    return (",".join(_quoted(name) for name in rows.schema.names) + "\n").encode()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"\n\r') else name


def _json(rows: Rows, file: BinaryIO) -> None:
    before = b"[\n"
    for lines in _json_lines(rows):
        file.write(before + lines.rstrip(b"\n").replace(b"\n", b",\n"))  # a line has no break: JSON writes it as \\n
        before = b",\n"
    file.write(b"[]\n" if before == b"[\n" else b"\n]\n")


def _jsonl(rows: Rows, file: BinaryIO) -> None:
    for lines in _json_lines(rows):
        file.write(lines)


def _json_lines(rows: Rows) -> Iterator[bytes]:
    """Yield the rows of each batch that has some, an object a line."""
    for frame in _frames(rows):
        whole = (pl.col(name).cast(pl.Int128) for name, kind in frame.schema.items() if kind == pl.Decimal(38, 0))
        if frame.height:
            yield frame.with_columns(*whole).with_columns(cs.decimal().cast(pl.Float64)).write_ndjson().encode()


def _frames(rows: Rows) -> Iterator[pl.DataFrame]:
    """Yield the batches as text has them: times as ISO 8601 in UTC with a Z, as the warehouse's times are UTC."""
    for batch in rows:
        frame = cast(pl.DataFrame, pl.from_arrow(far_as_text(pa.Table.from_batches([batch]), iso=True)))
        yield readable(frame).with_columns(
            cs.datetime(time_zone=None).dt.to_string("iso:strict") + "Z",
            cs.datetime(time_zone="*").dt.convert_time_zone("UTC").dt.replace_time_zone(None).dt.to_string("iso:strict")
            + "Z",
        )


def _parquet(rows: Rows, file: BinaryIO) -> None:
    with pq.ParquetWriter(file, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch)


def _arrow(rows: Rows, file: BinaryIO) -> None:
    with pa.ipc.new_file(file, rows.schema) as writer:
        for batch in rows:
            writer.write_batch(batch)


def _arrows(rows: Rows, file: BinaryIO) -> None:
    with pa.ipc.new_stream(file, rows.schema) as writer:
        for batch in rows:
            writer.write_batch(batch)


_WRITERS: dict[Format, Callable[[Rows, BinaryIO], None]] = {
    Format.CSV: _csv,
    Format.JSON: _json,
    Format.JSONL: _jsonl,
    Format.PARQUET: _parquet,
    Format.ARROW: _arrow,
    Format.ARROWS: _arrows,
}
