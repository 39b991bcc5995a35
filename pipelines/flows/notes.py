"""What became of each flow here: a small file a flow in <world>/flows, which outlives Prefect's server. No Prefect here.

`everywhere.py` adds what other machines did. Beside it lies the lock of the run that is under way. The kernel ends it with the
process, so a killed run holds nothing.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

FOLDER = "flows"
SERVE_LOCK = "flows.lock"
SERVED = "served.since"


class Note(msgspec.Struct, frozen=True):
    """One flow's past. Times are UTC seconds since 1970, 0 for never; `error`: of the last failure, one line; `host`: the other
    machine on which it last succeeded, empty for this one.

    `started_s` later than `ended_s`: a run is under way, or was killed.
    """

    started_s: float = 0.0
    ended_s: float = 0.0
    succeeded_s: float = 0.0
    failed_s: float = 0.0
    error: str = ""
    runs: int = 0
    failures: int = 0
    host: str = ""

    def began(self, now_s: float) -> "Note":
        """Return the note after the start of a run."""
        return msgspec.structs.replace(self, started_s=now_s, runs=self.runs + 1)

    def succeeded(self, now_s: float) -> "Note":
        """Return the note after a run that did its work."""
        return msgspec.structs.replace(self, ended_s=now_s, succeeded_s=now_s)

    def failed(self, now_s: float, error: str) -> "Note":
        """Return the note after a run that did not."""
        return msgspec.structs.replace(self, ended_s=now_s, failed_s=now_s, failures=self.failures + 1, error=error)


def read(world: Path, name: str) -> Note | None:
    """Return what is noted of a flow, None where nothing is or it cannot be read."""
    try:
        return msgspec.json.decode(_file(world, name, "json").read_bytes(), type=Note)
    except (OSError, msgspec.MsgspecError):
        return None


def write(world: Path, name: str, note: Note) -> None:
    """Note what became of a flow; where the disk is full the note stays as it was."""
    file = _file(world, name, "json")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(note))
        os.replace(new, file)


@contextmanager
def only_run(world: Path, name: str, run: str) -> Iterator[bool]:
    """Yield whether this is the only run of a flow; if so it is until the block ends. `run`: its id at Prefect's server."""
    file = _file(world, name, "lock")
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        lock.truncate(0)
        lock.write(run)
        lock.flush()
        yield True


def running(world: Path, name: str) -> str:
    """Return the id of the run of a flow that is under way, empty where there is none."""
    with suppress(OSError), _file(world, name, "lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return lock.read()
    return ""


def serving(world: Path, now_s: float) -> None:
    """Note since when flows are served in this world, unless that is noted already."""
    if served_since(world) is None:
        with suppress(OSError):
            (world / FOLDER).mkdir(parents=True, exist_ok=True)
            (world / FOLDER / SERVED).write_text(f"{now_s:.0f}")


def served_since(world: Path) -> float | None:
    """Return since when flows are served in this world, UTC seconds since 1970; None: they never were."""
    with suppress(OSError, ValueError):
        return float((world / FOLDER / SERVED).read_text())
    return None


def _file(world: Path, name: str, suffix: str) -> Path:
    return world / FOLDER / f"{name}.{suffix}"
