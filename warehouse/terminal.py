"""What reading commands share: opening a warehouse, and the console for tables."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb
from rich.console import Console

from warehouse import lake
from warehouse.errors import QueryError, WarehouseError
from warehouse.lake import Lake
from warehouse.messages import VERIFY, one_line
from warehouse.worlds import told_world as told_world

WIDE, TABLES_WIDTH = 4000, 110


class _Terminal(Console):
    """A console that leaves a closed pipe to its caller; rich itself would end the process with exit code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(width: int = WIDE) -> Console:
    """Return the console of standard output; so wide where that is not a terminal, so that nothing is folded in a file.

    Printing on it raises BrokenPipeError where the reader of the output has gone.
    """
    return _Terminal(highlight=False, width=None if sys.stdout.isatty() else width)


@contextmanager
def to_read(*, unlocked: bool = False) -> Iterator[Lake]:
    """Open the chosen world's warehouse for the block; `unlocked`: see `lake.open`. Raises NoWarehouseError."""
    with lake.open(told_world(), unlocked=unlocked) as warehouse, naming_damage(warehouse):
        yield warehouse


@contextmanager
def naming_damage(warehouse: Lake) -> Iterator[None]:
    """Turn DuckDB's errors in the block into a QueryError of one line; where a file is damaged, one that names a file."""
    try:
        yield
    except (duckdb.Error, WarehouseError) as error:
        text = one_line(error, warehouse.place.folder)
        if VERIFY in text and ".parquet" not in text:  # Parquet's reader does not always say which file it reads
            from warehouse.keeping.verify import first_damaged

            with suppress(duckdb.Error):
                if file := first_damaged(warehouse):
                    text = f"{text} ({file} is one)"
        elif isinstance(error, WarehouseError):
            raise
        raise QueryError(text) from error
