"""What the commits of one process were: how many, how long they took, what they waited for and made."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Made(NamedTuple):
    """Data files that a commit made, their bytes, and how many snapshots the catalogue has now."""

    files: int
    size: int
    snapshots: int


class Commits:
    """Counts of one process since its start. Times are seconds; `snapshot`: the last one that a claim made."""

    def __init__(self) -> None:
        self.attempts = 0
        self.conflicts = 0
        self.waited_s = 0.0
        self.seconds = 0.0
        self.snapshot = -1
        self.files = self.bytes = self.snapshots = 0

    def add(self, made: Made | None) -> None:
        """Count what a commit made."""
        if made is not None:
            self.files += made.files
            self.bytes += made.size
            self.snapshots = made.snapshots

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the block as an attempt."""
        self.attempts += 1
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - began
