"""The lake: DuckDB with the DuckLake catalogue of one world attached as `lake`."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb

from warehouse import reading
from warehouse.errors import NoWarehouseError, WarehouseError, WriteFailedError
from warehouse.lock import write_lock
from warehouse.messages import one_line
from warehouse.pending import NOTHING_NOTED
from warehouse.place import ABSENT, Place
from warehouse.place import quoted as quoted
from warehouse.settings import WarehouseSettings

METADATA = "__ducklake_metadata_lake"  # DuckLake's own tables, as it attaches them


class Lake:
    """An open warehouse, its catalogue made where `create`. One thread at a time; close it, or use it in a `with`.

    `open` and `schema.create_or_migrate` make one. A reader reaches no file outside the lake, unless it is `unlocked`.
    """

    def __init__(
        self, world: Path, settings: WarehouseSettings, *, read_only: bool, create: bool = False, unlocked: bool = False
    ) -> None:
        self.world = world
        self.settings = settings
        self.place = Place(world, settings)
        self.locked = read_only and not unlocked
        self._read_only = read_only
        self.connection = self._connected(create)
        self.noted = NOTHING_NOTED  # by `writer.append`

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Hold the world's write lock, as every writer must. Raises WarehouseBusyError."""
        with write_lock(self.place.folder / "write.lock", self.settings.lock_timeout_s):
            yield

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Run the block as one transaction under the write lock: all of it is stored, or nothing.

        DuckDB's errors become WriteFailedError; any other exception of the block is passed on. Both roll back.
        """
        with self.write_lock():
            try:
                self.connection.execute("BEGIN")
                yield self.connection
                self.connection.execute("COMMIT")
            except duckdb.Error as error:
                self._roll_back()
                raise WriteFailedError(
                    f"nothing was stored in {self.place}: {one_line(error, self.place.folder)}"
                ) from error
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        try:
            self.connection.execute("ROLLBACK")
        except duckdb.Error:  # the failed statement has ended the transaction already
            return

    def renew(self) -> None:
        """Go on with a new connection, so that memory stays small; `register` and temporary tables go with the old one.

        DuckLake keeps the statistics that it has seen of every snapshot for as long as a connection lives, up to DuckDB's limit
        of memory: measured 53 kB for each of ingest's commits. Raises WarehouseError, and the old one stays.
        """
        before, self.connection = self.connection, self._connected(create=False)
        before.close()

    def _connected(self, create: bool) -> duckdb.DuckDBPyConnection:
        connection = _connect(self.place, self.settings, self._read_only, create)
        if self.locked:
            _lock(connection, self.place)
        return connection

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        self.connection.close()

    def __enter__(self) -> "Lake":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open(
    world: Path | None = None,
    *,
    read_only: bool = True,
    settings: WarehouseSettings | None = None,
    unlocked: bool = False,
) -> Lake:
    """Open the warehouse of `world` (LIQ_DATA where None). A reader works beside the writer and takes no lock.

    `unlocked`: its SQL may read and write files and attach other databases. Raises NoWarehouseError where there is none
    yet; a writer calls `schema.create_or_migrate` first.
    """
    settings = settings or WarehouseSettings()
    return Lake(settings.world(world), settings, read_only=read_only, unlocked=unlocked)


def exists(world: Path) -> bool:
    """Tell whether `world` has a warehouse. Raises WarehouseError where PostgreSQL cannot be asked."""
    settings = WarehouseSettings()
    if catalogue := Place(world, settings).sqlite:
        return catalogue.is_file()
    try:
        Lake(world, settings, read_only=True).close()
    except NoWarehouseError:
        return False
    return True


def folder(world: Path) -> Path:
    """Return the warehouse's folder in `world`."""
    return Place(world, WarehouseSettings()).folder


def _connect(place: Place, settings: WarehouseSettings, read_only: bool, create: bool) -> duckdb.DuckDBPyConnection:
    if place.sqlite and not (create or place.sqlite.is_file()):
        raise _none_in(place)
    connection = duckdb.connect(config=_config(place, settings, read_only))
    try:
        connection.execute("SET TimeZone = 'UTC'")  # now(), and times with a zone, beside the warehouse's own
        for name in place.extensions:
            connection.execute(f"LOAD '{_extension(name)}'")
        if secret := place.secret():
            connection.execute(secret)
        place.give_password()
        if not (read_only and place.sqlite and reading.attach(connection, place.sqlite, place.options)):
            connection.execute(place.attach(read_only=read_only, create=create))
        connection.execute("USE lake")
    except (duckdb.Error, OSError) as error:
        connection.close()
        if ABSENT in str(error):
            raise _none_in(place) from None
        raise WarehouseError(f"the warehouse in {place} cannot be opened: {one_line(error, place.folder)}") from None
    return connection


def _lock(connection: duckdb.DuckDBPyConnection, place: Place) -> None:
    """Keep what the connection runs from every file but the lake's own, for good."""
    connection.execute(f"SET allowed_directories = [{quoted(place.files)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _none_in(place: Place) -> NoWarehouseError:
    return NoWarehouseError(
        f"no warehouse in {place}: run `liq demo` or `liq up`, or set LIQ_DATA to a world that has one"
    )


def _config(place: Place, settings: WarehouseSettings, read_only: bool) -> dict[str, Any]:
    config: dict[str, Any] = {"temp_directory": str(place.folder / "tmp")}
    config |= {"autoinstall_known_extensions": False, "autoload_known_extensions": False}  # nothing is fetched
    if settings.duckdb_memory:
        config["memory_limit"] = settings.duckdb_memory
    # measured: two threads take half as much CPU time again for the same inserts and are no faster beside other work
    if threads := settings.duckdb_threads or (0 if read_only else 1):
        config["threads"] = threads
    return config


def _extension(name: str) -> str:
    version = duckdb.__version__
    return str(files(f"duckdb_extension_{name}").joinpath(f"extensions/v{version}/{name}.duckdb_extension"))
