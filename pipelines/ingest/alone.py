"""One ingest to a world: two would commit the same records twice."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import AlreadyRunningError

LOCK = "ingest.lock"


@contextmanager
def alone(world: Path) -> Iterator[None]:
    """Be the one ingest of `world` for the block. The kernel ends it with the process. Raises AlreadyRunningError."""
    world.mkdir(parents=True, exist_ok=True)
    with (world / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = (world / LOCK).read_text(errors="replace") or "another process"
            raise AlreadyRunningError(f"an ingest runs in {world} already: {holder}") from None
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        yield
