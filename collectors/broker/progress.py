"""A progress bar on a terminal, a few plain lines elsewhere; both on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

MB = 1_000_000


class Progress:
    """Counts bytes from several threads and shows them; a plain line at each quarter where there is no terminal."""

    def __init__(self, title: str, size: int, console: Console, bars: Bars | None = None) -> None:
        self._title, self._size, self._console, self._bars = title, size, console, bars
        self._done = self._told = 0
        self._lock = Lock()
        self._task = bars.add_task(title, total=size) if bars else None

    def advance(self, count: int) -> None:
        """Add `count` bytes."""
        with self._lock:
            self._done += count
            if self._bars and self._task is not None:
                self._bars.advance(self._task, count)
            elif (quarter := 4 * self._done // self._size) > self._told:
                self._told = quarter
                self._say(f"  {min(self._done, self._size) / MB:.0f} of {self._size / MB:.0f} MB")

    def start(self) -> None:
        """Say what begins, where no bar says it."""
        if not self._bars:
            self._say(f"{self._title}, {self._size / MB:.0f} MB")

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)


@contextmanager
def progress(title: str, size: int) -> Iterator[Progress]:
    """Show the progress of `size` bytes while the block runs."""
    console = Console(stderr=True)
    if not console.is_terminal:
        shown = Progress(title, size, console)
        shown.start()
        yield shown
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, console=console) as bars:
        yield Progress(title, size, console, bars)
