"""Attaches the lake of a place to a DuckDB connection. Creates it if that is allowed; refuses if there are files without a
catalogue."""

import re
from typing import Any

import duckdb

from warehouse import reading
from warehouse.errors import LostCatalogueError, NoWarehouseError, WarehouseError
from warehouse.extensions import UNTIL_LOADED, load
from warehouse.keeping.copies import copies, written
from warehouse.keeping.files import escaped, parquet_files
from warehouse.messages import one_line
from warehouse.place import ABSENT, Place, quoted
from warehouse.settings import WarehouseSettings

_BROKEN = re.compile("disk image is malformed|file is not a database|ducklake_metadata does not exist")


def connect(
    place: Place, settings: WarehouseSettings, read_only: bool, create: bool, beside_files: bool
) -> duckdb.DuckDBPyConnection:
    if place.sqlite and not (create or place.sqlite.is_file()):
        raise none_in(place)
    connection = duckdb.connect(config=_config(place, settings, read_only))
    try:
        connection.execute("SET TimeZone = 'UTC'")  # now(), and times with a zone, beside the warehouse's own
        load(connection, place.extensions)
        if secret := place.secret():
            connection.execute(secret)
        place.give_password()
        if create and not beside_files and not _is_made(connection, place) and (lying := _lying(connection, place)):
            raise lost(place, lying)
        if not (read_only and place.sqlite and reading.attach(connection, place.sqlite, place.options)):
            connection.execute(place.attach(read_only=read_only, create=create))
        connection.execute("USE lake")
        if place.address and not read_only:
            # a commit that does not follow what it has read is refused; `Lake.transaction_beside` allows what it has checked
            connection.execute("SET ducklake_max_retry_count = 0; SET ducklake_retry_wait_ms = 1")
    except (duckdb.Error, OSError) as error:
        connection.close()
        if ABSENT in str(error):
            raise none_in(place) from None
        helps = "; `liq restore --help` says what helps" if _BROKEN.search(str(error)) else ""
        raise WarehouseError(
            f"the warehouse in {place} cannot be opened: {one_line(error, place.folder)}{helps}"
        ) from None
    except WarehouseError:
        connection.close()
        raise
    return connection


def _is_made(connection: duckdb.DuckDBPyConnection, place: Place) -> bool:
    """Tell whether there is a catalogue; where DuckLake finds none it would make one."""
    if place.sqlite:
        return place.sqlite.is_file() and place.sqlite.stat().st_size > 0
    try:
        connection.execute(place.attach(read_only=True))
    except duckdb.Error as error:
        if ABSENT in str(error):
            return False
        raise
    connection.execute("DETACH lake")
    return True


def _lying(connection: duckdb.DuckDBPyConnection, place: Place) -> int:
    """Return how many Parquet files lie where the lake's are."""
    if place.local_files:
        return sum(1 for _ in parquet_files(place.local_files))
    row = connection.execute(f"SELECT count(*) FROM glob({quoted(escaped(place.files) + '**/*.parquet')})").fetchone()
    return row[0] if row else 0


def lock(connection: duckdb.DuckDBPyConnection, place: Place) -> None:
    """Keep what the connection runs from every file but the lake's own, for good."""
    connection.execute(f"SET allowed_directories = [{quoted(place.files)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def none_in(place: Place) -> NoWarehouseError | LostCatalogueError:
    """Return the error for a place without a catalogue: files that lie there make it a lost one."""
    if place.local_files and (lying := sum(1 for _ in parquet_files(place.local_files))):
        return lost(place, lying)
    return NoWarehouseError(
        f"no warehouse in {place}: run `liq demo` or `liq up`, or set LIQ_DATA to a world that has one"
    )


def lost(place: Place, lying: int) -> LostCatalogueError:
    """Return the error for `lying` Parquet files whose catalogue is gone."""
    if place.sqlite is None:
        ways = "restore the database from its dump (infra/README.md), or name another place with LIQ_FILES"
        catalogue = "the database of LIQ_CATALOGUE has no catalogue"
    else:
        found = copies(place.folder)
        copied = f"`liq restore --from-copy` (copied {written(found[0])}), " if found else ""
        ways = f"bring it back with {copied}`liq restore --from-files` or `liq restore BACKUP`"
        catalogue = f"{place.sqlite} is gone"
    return LostCatalogueError(
        f"{catalogue}, but {lying:,} Parquet files lie in {place.files}: {ways}; nothing was changed"
    )


def _config(place: Place, settings: WarehouseSettings, read_only: bool) -> dict[str, Any]:
    config: dict[str, Any] = {**UNTIL_LOADED, "temp_directory": str(place.folder / "tmp")}
    config |= {"autoinstall_known_extensions": False, "autoload_known_extensions": False}  # nothing is fetched
    if settings.duckdb_memory:
        config["memory_limit"] = settings.duckdb_memory
    # measured: two threads take half as much CPU time again for the same inserts and are no faster beside other work
    if threads := settings.duckdb_threads or (0 if read_only else 1):
        config["threads"] = threads
    return config
