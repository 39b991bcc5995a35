"""The write lock: one writer at a time on one catalogue file, across processes and threads."""

import fcntl
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from warehouse.errors import WarehouseBusyError, WriteFailedError
from warehouse.messages import one_line

logger = logging.getLogger(__name__)

TELL_AFTER_S = 2.0
POLL_S = 0.005


@contextmanager
def write_lock(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold the exclusive lock on `path` for the block. The kernel releases it when a process dies.

    Waiting longer than two seconds is logged, with who holds it. Raises WarehouseBusyError after `timeout_s` seconds,
    WriteFailedError where the disk is full.
    """
    with path.open("a+") as file:
        _acquire(file.fileno(), path, timeout_s)
        _sign(file, path)
        yield


def _sign(file: TextIO, path: Path) -> None:
    try:
        file.truncate(0)
        file.write(f"process {os.getpid()} ({Path(sys.argv[0]).name or 'python'})")
        file.flush()
    except OSError as error:
        raise WriteFailedError(f"{path} cannot be written: {one_line(error, path)}") from error


def _acquire(descriptor: int, path: Path, timeout_s: float) -> None:
    began = time.monotonic()
    told = False
    while not _try(descriptor):
        waited = time.monotonic() - began
        if waited > timeout_s:
            raise WarehouseBusyError(f"{path} has been locked for {waited:.0f} s by {_holder(path)}: stop it or wait")
        if waited > TELL_AFTER_S and not told:
            logger.warning("waiting for the write lock %s, held by %s", path, _holder(path))
            told = True
        time.sleep(POLL_S)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    return path.read_text(errors="replace") or "another process"
