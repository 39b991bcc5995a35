"""The service's own connections to the lake: a few, each in a thread of its own, and none of them can write."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

import duckdb

from pipelines.serve.problems import BusyError, ProblemError
from warehouse import lake
from warehouse.errors import QueryError, UnknownNameError, WarehouseError
from warehouse.lake import Lake
from warehouse.query_errors import query_errors

T = TypeVar("T")
RENEW_AFTER = 60
"""After so many questions, some minutes where ingest follows, a connection is opened anew: DuckLake keeps what it has seen of
every snapshot. Four connections took 35 MB a minute on a lake of 4,000 files."""
WAITING = 200
"""More than so many that wait for a connection are sent away."""

log = logging.getLogger(__name__)


class Readers:
    """`read` runs a function on a connection, all of it on one snapshot of the lake. `number` of them; what takes longer than
    `most_s` seconds is stopped."""

    def __init__(self, world: Path, number: int, most_s: float) -> None:
        self._world = world
        self._most_s = most_s
        self._threads = ThreadPoolExecutor(number, "reader")
        self._own = threading.local()
        self._opened: list[Lake] = []
        self._waiting = 0

    async def read(self, work: Callable[[Lake], T]) -> T:
        """Return what `work` returns. Raises ProblemError: 400 for a query that fails, 503 where there is no lake now."""
        if self._waiting >= WAITING:
            raise BusyError("too many queries wait already; ask again", {"Retry-After": "1"})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)
        finally:
            self._waiting -= 1

    def _read(self, work: Callable[[Lake], T]) -> T:
        try:
            opened = self._lake()
        except WarehouseError as error:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, str(error), {"Retry-After": "10"}) from error
        late = threading.Event()
        timer = threading.Timer(self._most_s, _stop, (opened, late))
        timer.start()
        try:
            with query_errors():
                opened.connection.execute("RESET VARIABLE as_of")  # whoever asked before may have set it
                with _one_snapshot(opened.connection):
                    return work(opened)
        except UnknownNameError as error:
            raise ProblemError(HTTPStatus.NOT_FOUND, str(error)) from error
        except QueryError as error:
            if late.is_set():
                raise BusyError(
                    f"the query took longer than {self._most_s:g} s and was stopped: ask for less time, or fewer columns"
                ) from error
            raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
        except WarehouseError as error:
            self._forget()
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, str(error), {"Retry-After": "10"}) from error
        finally:
            timer.cancel()

    def _lake(self) -> Lake:
        found: tuple[Lake, int] | None = getattr(self._own, "found", None)
        if found and found[1] >= RENEW_AFTER:
            self._forget()
            found = None
        if found is None:
            found = lake.open(self._world), 0
            self._opened.append(found[0])
        self._own.found = found[0], found[1] + 1
        return found[0]

    def _forget(self) -> None:
        found: tuple[Lake, int] | None = getattr(self._own, "found", None)
        if found:
            self._own.found = None
            self._opened.remove(found[0])
            found[0].close()

    def close(self) -> None:
        """Wait for the queries that run, and close the connections."""
        self._threads.shutdown()
        for each in self._opened:
            each.close()


@contextmanager
def _one_snapshot(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let all queries of the block see the lake as the first one did."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        with suppress(duckdb.Error):  # a query that was stopped has ended it
            connection.execute("ROLLBACK")


def _stop(opened: Lake, late: threading.Event) -> None:
    late.set()
    opened.connection.interrupt()
