"""The phases of a run, one after another: as a line of names with a bar on a terminal, else a line when one begins."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

WIDTH = 110
"""From here on there is room for how long each phase took."""
PER_SECOND = 4


class Phases:
    """`names`: each phase and what is done in it, in order. `seconds`: how long those take that are known to."""

    def __init__(self, out: Console, names: Mapping[str, str], seconds: Mapping[str, float] | None = None) -> None:
        self._out = out
        self._names = dict(names)
        self._seconds = dict(seconds or {})
        self._now = ""
        self._note = ""
        self._began = self._first = time.monotonic()
        self._took: dict[str, float] = {}
        self._spinner = Spinner("dots", style="bold cyan")
        self._live: Live | None = None

    def begin(self, name: str, note: str = "") -> None:
        """Go on to a phase; where that is the phase already, change what is said of it."""
        if name != self._now:
            self._end()
            self._now, self._began = name, time.monotonic()
            if not self._out.is_terminal:
                self._out.print(f"{name}: {note or self._names[name]}", soft_wrap=True)
        self._note = note

    @property
    def took_s(self) -> float:
        """Seconds since the first phase."""
        return time.monotonic() - self._first

    def drawn(self) -> RenderableType | None:
        """Return the phases as two lines, None before the first."""
        return Group(self._line(), self._bar()) if self._now else None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the phases on a terminal while the block runs; what is printed meanwhile stands above them."""
        if not self._out.is_terminal:
            yield
            return
        with Live(
            get_renderable=lambda: self.drawn() or "", console=self._out, refresh_per_second=PER_SECOND, transient=True
        ):
            yield

    def _end(self) -> None:
        if self._now:
            self._took[self._now] = self._took.get(self._now, 0.0) + time.monotonic() - self._began

    def _line(self) -> Text:
        line, is_wide = Text(overflow="ellipsis", no_wrap=True), self._out.width >= WIDTH
        for name in self._names:
            if name == self._now:
                line.append(f"▶ {name}", "bold cyan")
            elif name in self._took:
                line.append(f"✔ {name}{f' {self._took[name]:.0f} s' if is_wide else ''}", "green")
            else:
                known = self._seconds.get(name)
                line.append(f"· {name}{f' {known:.0f} s' if known else ''}", "dim")
            line.append("  ")
        return line

    def _bar(self) -> Table:
        spent, whole = time.monotonic() - self._began, self._seconds.get(self._now)
        row = Table.grid(padding=(0, 1), expand=False)
        row.add_column(width=1)
        row.add_column(width=24)
        row.add_column(no_wrap=True, overflow="ellipsis")
        moving = ProgressBar(whole or 1, min(spent, whole or 1) if whole else 0, width=24, pulse=whole is None)
        what = self._note or self._names[self._now]
        row.add_row(self._spinner, moving, f"{spent:.0f}{f' of {whole:.0f}' if whole else ''} s  {what}")
        return row
