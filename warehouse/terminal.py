"""What commands share that work on a warehouse: which world is meant, opening it, the console for tables."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.query import reading_world

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


def told_world() -> Path:
    """Return the world to work on, telling on standard error where the choice is none the user made."""
    world, note = reading_world()
    if note:
        print(f"liq: {note}", file=sys.stderr)
    return world


@contextmanager
def to_read(*, unlocked: bool = False) -> Iterator[Lake]:
    """Open the chosen world's warehouse for the block; `unlocked`: see `lake.open`. Raises NoWarehouseError."""
    with lake.open(told_world(), unlocked=unlocked) as warehouse:
        yield warehouse


@contextmanager
def to_write(world: Path | None = None) -> Iterator[Lake]:
    """Open a world's warehouse (None: the chosen one's) for the block, of today's schema. Raises NoWarehouseError."""
    world = world or told_world()
    if lake.exists(world):
        schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as warehouse:
        yield warehouse
