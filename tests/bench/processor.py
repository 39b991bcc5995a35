"""What processes take of the processor while something is measured, from /proc."""

import asyncio
import os
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
EVERY_S = 0.2
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
ALL = "all"
"""The whole machine."""


class Sampler:
    """Processor time of groups of processes with all their children, looked at five times a second.

    `groups`: by name the processes; some may be added and taken out while it runs. Times are Unix seconds.
    """

    def __init__(self, groups: Mapping[str, Sequence[int]]) -> None:
        self.groups: dict[str, list[int]] = {name: list(pids) for name, pids in groups.items()}
        self._seen: dict[str, list[tuple[float, float]]] = {}

    def used(self, name: str, since: float, until: float) -> float:
        """Return the seconds of processor time of a group between two times; 0 where it was not looked at."""
        return self._at(name, until) - self._at(name, since)

    @asynccontextmanager
    async def running(self) -> "AsyncIterator[Sampler]":
        """Look for as long as the block lasts."""
        self._sample()
        looking = asyncio.create_task(self._look())
        try:
            yield self
        finally:
            looking.cancel()
            await asyncio.wait([looking])
            self._sample()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self._sample()

    def _sample(self) -> None:
        now, own, children = time.time(), *_processes()
        for name, pids in self.groups.items():
            found = sum(_of_tree(pid, own, children) for pid in pids)
            seen = self._seen.setdefault(name, [])
            seen.append((now, max(found, seen[-1][1] if seen else 0.0)))  # what has ended is not there any more
        self._seen.setdefault(ALL, []).append((now, _machine()))

    def _at(self, name: str, moment: float) -> float:
        seen = self._seen.get(name, [])
        place = bisect_right(seen, moment, key=lambda each: each[0])
        if not 0 < place < len(seen):
            return seen[min(place, len(seen) - 1)][1] if seen else 0.0
        (before, low), (after, high) = seen[place - 1], seen[place]
        return low + (high - low) * (moment - before) / (after - before)


def listener(port: int) -> int:
    """Return the process whose command line names this port: PostgreSQL's first. Raises StopIteration."""
    word = f"port={port}".encode()
    return next(pid for pid in _pids() if word in _read(f"/proc/{pid}/cmdline").split(b"\0"))


def _processes() -> tuple[dict[int, float], dict[int, list[int]]]:
    """Return the time of each process and of those of its children that have ended, and who is whose child."""
    own, children = dict[int, float](), dict[int, list[int]]()
    for pid in _pids():
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        if fields:
            own[pid] = sum(map(int, fields[11:15])) / TICKS
            children.setdefault(int(fields[1]), []).append(pid)
    return own, children


def _of_tree(pid: int, own: Mapping[int, float], children: Mapping[int, Sequence[int]]) -> float:
    return own.get(pid, 0.0) + sum(_of_tree(child, own, children) for child in children.get(pid, ()))


def _machine() -> float:
    """Return what all processors have worked since the start; neither idle nor waiting for a disk."""
    fields = [int(word) for word in _read("/proc/stat").split(b"\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def _pids() -> Iterator[int]:
    return (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # it has just ended
        return b""
