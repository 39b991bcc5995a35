"""Turns that processes take on one lake, each with a name: those that share it, and the one that has it alone.

A file beside a SQLite catalogue; for PostgreSQL an advisory lock of the database, which holds on every machine. Either ends
with its process. The write lock is another one (`advisory.py`): it is had for moments, a turn for as long as a work takes.
"""

import fcntl
import logging
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import IO

import duckdb

from warehouse.advisory import SILENT_S
from warehouse.beside import Beside, settings
from warehouse.errors import WarehouseError
from warehouse.lock import TELL_AFTER_S
from warehouse.messages import one_line
from warehouse.place import Place

logger = logging.getLogger(__name__)

KEEP = "keep"
"""Files are to stay: a backup shares it, who deletes files has it alone."""
UPKEEP = "upkeep"
"""One at a time merges, expires and deletes."""
KIND = 0x6C69_7101
"""The first number of all these locks in PostgreSQL; the second is of the name."""
POLL_S = 0.1
HOLDER = """
SELECT a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = {kind} AND l.objid = {number} AND l.objsubid = 2
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextmanager
def turn(place: Place, name: str, *, shared: bool = False, within_s: float = 0.0, role: str = "") -> Iterator[bool]:
    """Have the turn `name` for the block, `shared` with others or alone; yield whether it is so.

    Waits up to `within_s` seconds for those who have it; waiting longer than two seconds is logged, with for whom. `role`: how
    others see this process. Raises WarehouseError where PostgreSQL does not answer.
    """
    taken = _in_file if place.sqlite else _in_database
    with taken(place, name, shared, within_s, role or name) as is_own:
        yield is_own


def holder(place: Place, name: str) -> str:
    """Return who has the turn `name`, empty where nobody has. Raises WarehouseError."""
    if place.sqlite:
        return _written(place, name)
    with closing(Beside(place, "reader")) as session, _answered(place):
        found = session.rows(HOLDER.format(kind=KIND, number=_number(name)))
    return str(found[0][0]) if found else ""


@contextmanager
def _in_file(place: Place, name: str, shared: bool, within_s: float, role: str) -> Iterator[bool]:
    with (place.folder / f"{name}.lock").open("a") as file:
        is_own = _waited(lambda: _flocked(file, shared), place, name, within_s)
        if is_own:
            _sign(file, f"liq {role} {os.getpid()}")
        yield is_own


def _sign(file: IO[str], told: str) -> None:
    with suppress(OSError):  # upkeep is to work on a full disk, too
        file.truncate(0)
        file.write(told)
        file.flush()


def _flocked(file: IO[str], shared: bool) -> bool:
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _written(place: Place, name: str) -> str:
    path = place.folder / f"{name}.lock"
    if not path.exists():
        return ""
    with path.open() as file:
        return "" if _flocked(file, True) else file.read() or "another process"


@contextmanager
def _in_database(place: Place, name: str, shared: bool, within_s: float, role: str) -> Iterator[bool]:
    with closing(Beside(place, role, for_hours=True)) as session:
        call = f"pg_try_advisory_xact_lock{'_shared' if shared else ''}({KIND}, {_number(name)})"
        with _answered(place):
            session.begin()
            session.rows(f"SELECT {settings({'idle_in_transaction_session_timeout': f'{SILENT_S}s'})}")
            is_own = _waited(lambda: session.rows(f"SELECT {call} AS own") == [(True,)], place, name, within_s)
        try:
            with session.alive(f"the turn {name} of {place}"):
                yield is_own
        finally:
            session.end()


@contextmanager
def _answered(place: Place) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise WarehouseError(f"{place} does not answer: {one_line(error)}") from error


def _number(name: str) -> int:
    return zlib.crc32(name.encode()) & 0x7FFF_FFFF


def _waited(take: Callable[[], bool], place: Place, name: str, within_s: float) -> bool:
    began, told = time.monotonic(), False
    while not take():
        waited = time.monotonic() - began
        if waited >= within_s:
            return False
        if waited > TELL_AFTER_S and not told:
            logger.warning("waiting for %s, which works on %s", holder(place, name) or "another process", place)
            told = True
        time.sleep(POLL_S)
    return True
