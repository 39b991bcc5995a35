"""One of a kind to a world: two ingests would commit the same records twice, two `liq up` start every part twice."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pipelines.errors import AlreadyRunningError

LOCK = "ingest.lock"
TRIES, PAUSE_S = 5, 0.02  # `is_held` has it for an instant


@contextmanager
def alone(world: Path, lock: str = LOCK, what: str = "an ingest") -> Iterator[None]:
    """Be the one `what` of `world` for the block. The kernel ends it with the process. Raises AlreadyRunningError."""
    world.mkdir(parents=True, exist_ok=True)
    with (world / lock).open("a+") as file:
        if not _taken(file):
            holder = (world / lock).read_text(errors="replace") or "another process"
            raise AlreadyRunningError(f"{what} runs in {world} already: {holder}")
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        yield


def is_held(world: Path, lock: str) -> bool:
    """Tell whether a process has the lock now; changes nothing."""
    try:
        with (world / lock).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is no such file
        return False
    return False


def _taken(file: IO[str]) -> bool:
    for turn in range(TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE_S if turn < TRIES - 1 else 0)
        else:
            return True
    return False
