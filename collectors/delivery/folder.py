"""The spool's folders: one for each collector process, locked while it runs, taken over by another when it has ended.

<world>/spool/<when>-<process>-<random>/lock             held by the process that may read and write here
<world>/spool/<when>-<process>-<random>/<topic>/00000001.seg
"""

import fcntl
import os
import secrets
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

from collectors.delivery.segment import Segment

LOCK = "lock"
HIDDEN = "."
SUFFIX = ".seg"
OLD_S = 3600.0


class Folder:
    """A folder that this process holds the lock of."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self._numbers = count(1)

    @classmethod
    def make(cls, spool: Path) -> "Folder":
        """Make one of one's own. Raises OSError."""
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns():x}-{os.getpid()}-{secrets.token_hex(2)}"
        hidden = spool / f"{HIDDEN}{name}"  # until it is locked, so that nobody takes it for one that was left
        hidden.mkdir(mode=0o700)
        lock = _locked(hidden)
        if lock is None:
            raise OSError(f"{hidden} cannot be locked")
        return cls(hidden.rename(spool / name), lock)

    @classmethod
    def left(cls, spool: Path) -> list["Folder"]:
        """Lock and return the folders of processes that have ended, oldest first."""
        with suppress(FileNotFoundError):
            _sweep(spool)
            paths = sorted(path for path in spool.iterdir() if path.is_dir() and not path.name.startswith(HIDDEN))
            return [cls(path, lock) for path in paths if (lock := _locked(path)) is not None]
        return []

    def segment(self, topic: str, sync: bool) -> Segment:
        """Make the next file of a topic. `sync`: wait until the disk knows of it. Raises OSError."""
        number = next(self._numbers)
        folder = self.path / topic
        folder.mkdir(mode=0o700, exist_ok=True)
        made = Segment.create(folder / f"{number:08d}{SUFFIX}", topic)
        if sync:
            for each in (folder, self.path, self.path.parent):
                _sync(each)
        return made

    def segments(self) -> tuple[list[Segment], list[str]]:
        """Open the files that were left here, in order; return them, and what is wrong with others, which stay."""
        found: list[Segment] = []
        faults: list[str] = []
        for path in sorted(self.path.glob(f"*/*{SUFFIX}")):
            try:
                found.append(Segment.found(path, path.parent.name))
            except (OSError, ValueError) as error:
                if path.stat().st_size:
                    faults.append(str(error))
                else:
                    path.unlink()  # its process ended while it made it
        return found, faults

    def remove(self) -> None:
        """Delete it, if nothing is left in it, and let go of the lock."""
        with suppress(OSError):
            for topic in self.path.iterdir():
                if topic.is_dir():
                    topic.rmdir()
            (self.path / LOCK).unlink()
            self.path.rmdir()
        os.close(self._lock)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int | None:
    """Return the descriptor of the folder's lock, None where another process has it."""
    try:
        lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _sweep(spool: Path) -> None:
    """Delete what a process left that ended while it made its folder."""
    for path in spool.glob(f"{HIDDEN}*"):
        if time.time() - path.stat().st_mtime > OLD_S:
            with suppress(OSError):
                (path / LOCK).unlink(missing_ok=True)
                path.rmdir()
