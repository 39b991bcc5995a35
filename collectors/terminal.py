"""What commands share on a terminal: times as they are given, a bar for what takes long."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

AGO = re.compile(r"(\d{1,6})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
FORMS = "2026-10-01, 2026-10-01T12:00 (UTC), or 30d, 12h, 90m ago"


def moment(given: str) -> datetime:
    """Return a time as options take it, UTC without a zone: a date, a time (UTC where it names no zone), or 30d, 12h, 90m ago.

    Raises typer.BadParameter.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    with suppress(ValueError, OverflowError):
        if ago := AGO.fullmatch(given):
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        found = datetime.fromisoformat(given)
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    raise typer.BadParameter(f"{given} is no time: say {FORMS}")


def since_option(help: str) -> Any:
    """Return the option --since of a command; its value is `moment`'s."""
    return typer.Option("--since", parser=moment, metavar="TIME", help=f"{help}: {FORMS}")


def until_option(help: str, alone: bool = False) -> Any:
    """Return the option --until of a command; its value is `moment`'s. `alone`: the command has no --since."""
    told = f"{help}: {FORMS}" if alone else f"{help}; as --since"
    return typer.Option("--until", parser=moment, metavar="TIME", help=told)


@contextmanager
def bar(what: str, total: float | None = None) -> Iterator[Callable[..., None]]:
    """Show a bar on standard error while the block runs, where that is a terminal.

    Yields what moves it: called with advance=, completed=, total= or description=.
    """
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        yield partial(bars.update, bars.add_task(what, total=total))
