"""A backfill for a person to watch: a bar on a terminal, a line now and then elsewhere; both on standard error."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from collectors.history.endpoint import Series

TELL_S = 10.0


class Screen:
    """What `backfill` tells, shown."""

    def __init__(self, venue: str, console: Console, bars: Progress | None) -> None:
        self._venue, self._console, self._bars = venue, console, bars
        self._task = bars.add_task(f"{venue}: asking what is listed", total=None) if bars else None
        self._done = self._total = 0
        self._told = time.monotonic()

    def planned(self, requests: int) -> None:
        """Take the number of requests that are expected, at most."""
        self._total = requests
        if self._bars and self._task is not None:
            self._bars.update(self._task, total=requests)
        elif requests:
            self.say(f"{self._venue}: at most {requests:,} requests")

    def answered(self, one: Series, requests: int) -> None:
        """Count requests as done."""
        self._done += requests
        if self._bars and self._task is not None:
            self._bars.update(self._task, completed=self._done, description=f"{one.channel} {one.asked.symbol}")
        elif time.monotonic() - self._told > TELL_S:
            self.say(f"{self._venue}: {min(self._done, self._total):,} of at most {self._total:,} requests")

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._told = time.monotonic()
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def watching(venue: str) -> Iterator[Screen]:
    """Show a backfill while the block runs."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Screen(venue, console, None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        yield Screen(venue, console, bars)
