"""A session of the PostgreSQL that has the catalogue: for the write lock, and to see what others have committed."""

import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import duckdb

from warehouse.errors import WarehouseError
from warehouse.extensions import UNTIL_LOADED, load
from warehouse.messages import one_line
from warehouse.place import Place, quoted

logger = logging.getLogger(__name__)

PING_S = 4.0
SESSION = {
    "tcp_keepalives_idle": "5", "tcp_keepalives_interval": "3", "tcp_keepalives_count": "3",
}  # fmt: skip
"""PostgreSQL notices within 15 s that a machine is gone, and ends what its processes held."""


def settings(given: Mapping[str, str], *, for_good: bool = False) -> str:
    """Return the SQL that sets parameters of PostgreSQL, for the transaction or `for_good`: for the session."""
    call = "set_config({name}, {value}, {local}) AS {column}"
    local = str(not for_good).lower()
    return ", ".join(
        call.format(name=quoted(name), value=quoted(value), local=local, column=name) for name, value in given.items()
    )


class Beside:
    """One session of PostgreSQL, opened when first asked, and again after it broke. Threads take turns.

    `for_hours`: its transaction may last, and does not keep PostgreSQL from clearing away what others have deleted meanwhile.
    """

    def __init__(self, place: Place, role: str, *, for_hours: bool = False) -> None:
        self._place = place
        self._role = role
        self._isolation = "READ COMMITTED" if for_hours else "REPEATABLE READ"
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._turn = threading.RLock()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of PostgreSQL's own SQL. Raises duckdb.Error."""
        with self._turn:
            return self._opened().execute(f"FROM postgres_query('beside', {quoted(sql)})").fetchall()

    def do(self, sql: str) -> None:
        """Run statements of PostgreSQL's own SQL. Raises duckdb.Error."""
        with self._turn:
            self._opened().execute(f"CALL postgres_execute('beside', {quoted(sql)})")

    def begin(self) -> None:
        """Begin a transaction; what follows runs in one session until `end`. A broken session is opened anew."""
        for turn in range(2):
            try:
                self._opened().execute("BEGIN")
                self.rows(self._settings())
            except duckdb.Error:
                self.end()
                if turn:
                    raise
            else:
                return

    @contextmanager
    def alive(self, what: str) -> Iterator[None]:
        """Show PostgreSQL in the block that the process lives. A session that is lost is logged, with `what` was lost."""
        done = threading.Event()
        pinging = threading.Thread(target=self._ping, args=(what, done), daemon=True)
        pinging.start()
        try:
            yield
        finally:
            done.set()
            pinging.join()

    def _ping(self, what: str, done: threading.Event) -> None:
        while not done.wait(PING_S):
            try:
                self.rows("SELECT 1")
            except duckdb.Error as error:
                logger.warning("%s was lost: %s", what, one_line(error))
                return

    def end(self) -> None:
        """End the transaction; what it locked is free, also where its session is broken."""
        with self._turn, suppress(duckdb.Error):
            if self._connection is not None:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the session."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _settings(self) -> str:
        name = f"liq {self._role} {os.getpid()}@{socket.gethostname()}"[:63]
        given = {"application_name": name, **SESSION}
        return f"SELECT {settings(given, for_good=True)}"

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._place.give_password()
            connection = duckdb.connect(config={**UNTIL_LOADED, "threads": 1, "memory_limit": "256MB"})
            try:
                load(connection, ["postgres_scanner"])
                how = f"TYPE postgres, ISOLATION_LEVEL {quoted(self._isolation)}"
                connection.execute(f"ATTACH {quoted(self._place.address)} AS beside ({how})")
            except duckdb.Error as error:
                connection.close()
                raise WarehouseError(f"{self._place} cannot be opened: {one_line(error)}") from None
            self._connection = connection
        return self._connection
