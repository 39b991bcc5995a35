"""The write lock by kind of catalogue: a file beside a SQLite catalogue, an advisory lock of the database for PostgreSQL."""

import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

import duckdb

from warehouse.beside import Beside, settings
from warehouse.errors import WarehouseBusyError, WriteFailedError
from warehouse.lock import TELL_AFTER_S, write_lock
from warehouse.messages import one_line
from warehouse.place import Place
from warehouse.settings import WarehouseSettings

logger = logging.getLogger(__name__)

KEY = 0x6C69_7100
"""Names the lock. PostgreSQL has one of each number per database, and a database has one catalogue."""
SILENT_S = 15
"""PostgreSQL takes the lock from a process that says nothing for so long, as a frozen one does."""
HOLDER = f"""
SELECT a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objid = {KEY} AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Lock(Protocol):
    """The write lock of one lake. `waited_s`: how long it was waited for the last time."""

    waited_s: float

    def held(self) -> AbstractContextManager[Beside | None]:
        """Hold it for the block; of PostgreSQL a session is handed out to look by. Raises WarehouseBusyError."""

    def close(self) -> None:
        """Close what it is asked by."""


def lock_of(place: Place, given: WarehouseSettings) -> Lock:
    """Return the write lock of a place."""
    return FileLock(place, given.lock_timeout_s) if place.sqlite else AdvisoryLock(place, given.lock_timeout_s)


class FileLock:
    """The kernel's lock on a file in the lake's folder."""

    def __init__(self, place: Place, timeout_s: float) -> None:
        self._path = place.folder / "write.lock"
        self._timeout_s = timeout_s
        self.waited_s = 0.0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it for the block. Raises WarehouseBusyError, WriteFailedError where the disk is full."""
        began = time.monotonic()
        with write_lock(self._path, self._timeout_s):
            self.waited_s = time.monotonic() - began
            yield

    def close(self) -> None:
        """Nothing is open between two blocks."""


class AdvisoryLock:
    """PostgreSQL's advisory lock. It ends with the session that has it, whatever became of the process.

    It saves work, and that nothing is stored twice does not hang on it: a commit that did not see all commits before it is
    refused by the catalogue (`lake.py`), also if the lock was lost meanwhile.
    """

    def __init__(self, place: Place, timeout_s: float) -> None:
        self._place = place
        self._timeout_s = timeout_s
        self._session = Beside(place, "writer")
        self._eyes = Beside(place, "reader")
        self.waited_s = 0.0

    @contextmanager
    def held(self, for_long: bool = True) -> Iterator[Beside]:
        """Hold it for the block, and hand out a session to look by. `for_long`: for longer than a commit takes.

        The session that holds it cannot look: it sees the catalogue as it was when it began to wait.

        Raises WarehouseBusyError, WriteFailedError where PostgreSQL does not answer.
        """
        began = time.monotonic()
        self._acquire(began)
        self.waited_s = time.monotonic() - began
        try:
            # a session that is lost is noticed at COMMIT
            with self._session.alive(f"the write lock of {self._place}") if for_long else nullcontext():
                yield self._eyes
        finally:
            self._session.end()

    def close(self) -> None:
        """Close the sessions."""
        self._session.close()
        self._eyes.close()

    def _acquire(self, began: float) -> None:
        told = False
        while True:
            left = self._timeout_s - (time.monotonic() - began)
            try:
                if self._try(min(TELL_AFTER_S, max(left, 0.001))):
                    return
            except duckdb.Error as error:
                self._session.end()
                raise WriteFailedError(f"the write lock of {self._place}: {one_line(error)}") from error
            if left <= TELL_AFTER_S:
                waited, holder = time.monotonic() - began, self._holder()
                raise WarehouseBusyError(
                    f"{self._place} has been locked for {waited:.0f} s by {holder}: stop it or wait"
                )
            if not told:
                logger.warning("waiting for the write lock of %s, held by %s", self._place, self._holder())
                told = True

    def _try(self, within_s: float) -> bool:
        self._session.begin()
        began = time.monotonic()
        waits, silent = f"{max(1, int(within_s * 1000))}ms", f"{SILENT_S}s"
        limits = settings({"lock_timeout": waits, "idle_in_transaction_session_timeout": silent})
        try:
            self._session.rows(f"SELECT {limits}")
            self._session.rows(f"SELECT pg_advisory_xact_lock({KEY})")
        except duckdb.Error:
            self._session.end()
            if time.monotonic() - began < 0.9 * within_s:  # its text is in the server's language
                raise
            return False
        return True

    def _holder(self) -> str:
        try:
            found: list[tuple[Any, ...]] = self._eyes.rows(HOLDER)
        except duckdb.Error:
            found = []
        return str(found[0][0]) if found and found[0][0] else "another process"
