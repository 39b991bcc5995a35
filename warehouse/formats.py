"""Query results as people and tools take them: a table, csv, JSON, Parquet, Arrow."""

import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from warehouse import casts
from warehouse.errors import QueryError
from warehouse.messages import free
from warehouse.query import Rows
from warehouse.shown import SHOWN, show, to_file
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
HELD: dict[Format, casts.Held] = {
    Format.TABLE: (casts.TABLE, casts.NESTED_TEXT),
    **dict.fromkeys((Format.CSV, Format.JSON, Format.JSONL), (casts.TEXT, casts.NESTED_TEXT)),
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
        raise ValueError(f"{output}: the ending is not a known format ({known}); change it, or use --format")
    if kind and by_name and kind is not by_name:
        raise ValueError(f"{output} has the ending of {by_name}, but --format is {kind}: change one of them")
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
        if kind is Format.TABLE:
            _table(rows, file, limit, everything)
            return
        from warehouse.exported import export  # polars and pyarrow, which a table does without

        export(rows, kind, file)


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
