"""What commands share on a terminal: the options --since and --until, and a progress bar."""

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
FORMS = "2026-10-01, 2026-10-01T12:00 (UTC), or 30d, 12h, 90m before now"


def moment(given: str) -> datetime:
    """Return an option's time, UTC without a zone. In: a date, a time (UTC if it has no zone), or 30d, 12h, 90m before now.

    Raises typer.BadParameter.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    with suppress(ValueError, OverflowError):
        if ago := AGO.fullmatch(given):
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        found = datetime.fromisoformat(given)
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    raise typer.BadParameter(f"{given} is not a time: say {FORMS}")


def since_option(help: str) -> Any:
    """Return the option --since of a command; `moment` parses its value."""
    return typer.Option("--since", parser=moment, metavar="TIME", help=f"{help}; written as {FORMS}")


def until_option(help: str, alone: bool = False) -> Any:
    """Return the option --until of a command; `moment` parses its value. `alone`: the command has no --since."""
    told = f"{help}; written as {FORMS}" if alone else f"{help}; written as --since"
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
