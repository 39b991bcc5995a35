"""What `liq up` or `liq demo` runs in a world, written down in <world>/up.json for `liq status` and for metrics."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from pipelines.up.pauses import STEADY_S

FILE, LOCK = "up.json", "up.lock"
DEMO = ".demo"  # marks a world that `liq demo` made
CRASH_LOOP = 3
"""A part that ended soon after its start so many times in a row does not come up by itself."""


class Part(msgspec.Struct, frozen=True):
    """One part. `pid` None: it is down now. `since_s`: when this process of it was started, UTC seconds since 1970.
    `short_lives`: how often in a row it had ended soon after its start. `ours`: `liq up` started it. `at`: where its metrics
    are, of Prefect's server its API; empty: nowhere."""

    name: str
    pid: int | None
    restarts: int = 0
    short_lives: int = 0
    ours: bool = True
    at: str = ""
    since_s: float = 0.0

    def loops(self, now_s: float) -> bool:
        """Tell whether it ends again and again soon after its start, and has not outlived that yet."""
        return self.short_lives >= CRASH_LOOP and now_s - self.since_s < STEADY_S


class Board(msgspec.Struct, frozen=True):
    """The file's content. `pid`: the supervisor's process."""

    pid: int
    parts: tuple[Part, ...]

    def part(self, name: str) -> Part | None:
        """Return the part of this name."""
        return next((part for part in self.parts if part.name == name), None)


def write(world: Path, parts: Iterable[Part]) -> None:
    """Write down what runs now; where the disk is full the file stays as it was."""
    text = msgspec.json.format(msgspec.json.encode(Board(os.getpid(), tuple(parts))))
    new = world / f"{FILE}.new"
    with suppress(OSError):
        new.write_bytes(text)
        os.replace(new, world / FILE)


def read(world: Path) -> Board | None:
    """Return what was last written, None where there is none or it cannot be read."""
    try:
        return msgspec.json.decode((world / FILE).read_bytes(), type=Board)
    except (OSError, msgspec.MsgspecError):
        return None


def remove(world: Path) -> None:
    """Take the file away: everything was stopped in good order."""
    with suppress(OSError):
        (world / FILE).unlink()
