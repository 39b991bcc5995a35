"""What the parts take of this machine: the most memory and the processor time of each, its own child processes with it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import psutil
from rich.console import Console
from rich.table import Table

from pipelines.up.board import Part

LOOK_S = 1.0
MIB = 1024 * 1024


class Usage:
    """Looks at the running parts once a second. What a process took in its last second is not counted."""

    def __init__(self, parts: Callable[[], Sequence[Part]]) -> None:
        self._parts = parts
        self._most: dict[str, int] = {}
        self._seconds: dict[str, dict[int, float]] = {}

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Note what each part takes now. A part that has just ended keeps what was noted before."""
        for part in self._parts():
            if part.pid is None:
                continue
            with suppress(psutil.Error):
                one = psutil.Process(part.pid)
                self._note(part.name, [one, *one.children(recursive=True)])

    def _note(self, name: str, processes: Sequence[psutil.Process]) -> None:
        memory = 0
        for process in processes:
            with suppress(psutil.Error), process.oneshot():
                memory += process.memory_info().rss
                times = process.cpu_times()
                self._seconds.setdefault(name, {})[process.pid] = times.user + times.system
        self._most[name] = max(memory, self._most.get(name, 0))

    def taken(self) -> list[tuple[str, float, float]]:
        """Return of each part its name, the most memory in MiB and the processor time in seconds, of all its processes."""
        return [(name, most / MIB, sum(self._seconds[name].values())) for name, most in self._most.items()]

    def show(self, out: Console) -> None:
        """Print it as a table, with the sums; the parts did not all take their most at one time."""
        table = Table(title="What it took of this machine", title_justify="left", title_style="bold", show_edge=False,
                      header_style="bold")  # fmt: skip
        table.add_column("part", no_wrap=True)
        table.add_column("most memory, MiB", justify="right")
        table.add_column("processor, s", justify="right")
        rows = self.taken()
        for name, memory, seconds in [*rows, ("all", sum(row[1] for row in rows), sum(row[2] for row in rows))]:
            table.add_row(name, f"{memory:,.0f}", f"{seconds:,.1f}")
        out.print(table)
