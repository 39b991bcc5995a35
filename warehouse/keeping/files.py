"""The files of a lake: those that its catalogue names, and those that are in its folder."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import duckdb

from warehouse.place import Place, quoted

METADATA = "__ducklake_metadata_lake"  # DuckLake's own tables, as it attaches them
DATA, DELETES = "data", "deletes"
PARQUET = ".parquet"

_TABLES = """
    (SELECT t.table_id, min(t.table_name) AS name,
        min(CASE WHEN CAST(t.path_is_relative AS INTEGER) = 1 THEN s.path || t.path ELSE t.path END) AS path
    FROM {tables}ducklake_table AS t JOIN {tables}ducklake_schema AS s ON s.schema_id = t.schema_id
    GROUP BY t.table_id) AS t
"""
_PATH = "CASE WHEN CAST({file}.path_is_relative AS INTEGER) = 1 THEN t.path || {file}.path ELSE {file}.path END"
NAMED = f"""
    SELECT {_PATH.format(file="f")} AS path, t.name AS table_name, '' AS deletes_from,
        f.record_count AS row_count, f.file_size_bytes AS size, f.begin_snapshot, f.end_snapshot, f.data_file_id AS file_id
    FROM {{tables}}ducklake_data_file AS f JOIN {_TABLES} ON t.table_id = f.table_id
    UNION ALL
    SELECT {_PATH.format(file="d")}, t.name, {_PATH.format(file="f")},
        d.delete_count, d.file_size_bytes, d.begin_snapshot, coalesce(d.end_snapshot, f.end_snapshot), d.delete_file_id
    FROM {{tables}}ducklake_delete_file AS d JOIN {_TABLES} ON t.table_id = d.table_id
    JOIN {{tables}}ducklake_data_file AS f ON f.data_file_id = d.data_file_id
"""
"""The SQL of a catalogue's files; `tables`: what comes before the names of DuckLake's tables."""
_COLUMNS = "path, table_name, deletes_from, row_count, size, begin_snapshot, end_snapshot"


class Named(NamedTuple):
    """A file that a catalogue names. `path`: below the place of the files, or absolute; `deletes_from`: the data file whose
    rows it takes out, empty for a data file; `begin`, `end`: the snapshots that first had it and no longer had it."""

    path: str
    table: str
    deletes_from: str
    rows: int
    size: int
    begin: int
    end: int | None


def named(connection: duckdb.DuckDBPyConnection) -> list[Named]:
    """Return every file that the attached lake names, also those that only older snapshots have. Raises duckdb.Error."""
    return _rows(connection, NAMED.format(tables=f"{METADATA}."))


def named_since(connection: duckdb.DuckDBPyConnection, snapshot: int) -> tuple[int, int, list[Named]]:
    """Return the newest snapshot of a SQLite catalogue, how many it has, and the files made or ended after `snapshot`.

    A delete file that takes another one's place has the snapshot that the other began with, so it is found by its number.
    """
    next_file = f"(SELECT coalesce(max(next_file_id), 0) FROM ducklake_snapshot WHERE snapshot_id <= {snapshot})"
    since = (
        f"SELECT {_COLUMNS} FROM ({NAMED.format(tables='')}) WHERE begin_snapshot > {snapshot} "
        f"OR end_snapshot > {snapshot} OR (deletes_from <> '' AND file_id >= {next_file})"
    )
    newest = "SELECT '', '', '', count(*), 0, max(snapshot_id), NULL FROM ducklake_snapshot"
    *found, last = _rows(connection, f"FROM sqlite_query('{METADATA}', {quoted(f'{since} UNION ALL {newest}')})")
    return last.begin, last.rows, found


def scheduled(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, bool]]:
    """Return the files that wait to be deleted, and whether their path is below the place of the files."""
    query = f"SELECT path, CAST(path_is_relative AS INTEGER) = 1 FROM {METADATA}.ducklake_files_scheduled_for_deletion"
    return connection.execute(query).fetchall()


def current_snapshot(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the lake's newest snapshot."""
    row = connection.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()
    return int(row[0]) if row else 0


def identity(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the catalogue's id: it is set when the catalogue is made, and its copies have the same."""
    row = connection.execute(
        f"SELECT schema_uuid::VARCHAR FROM {METADATA}.ducklake_schema ORDER BY schema_id"
    ).fetchone()
    return row[0] if row else ""


def lying(place: Place, connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return the Parquet files that lie in the place of the files: path below it and bytes."""
    if place.local_files:
        found = {}
        for path in parquet_files(place.local_files):
            with suppress(FileNotFoundError):  # upkeep has just deleted it
                found[str(path.relative_to(place.local_files))] = path.stat().st_size
        return found
    pattern = quoted(escaped(place.files) + "**")
    rows = connection.execute(f"SELECT filename, size FROM read_blob({pattern})").fetchall()
    return {name.removeprefix(place.files): size for name, size in rows if name.endswith(PARQUET)}


def parquet_files(folder: Path) -> Iterator[Path]:
    """Yield the Parquet files below a folder. A path's own *, ? and [ mean nothing here, unlike in DuckDB's globs."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent) / name for name in sorted(names) if name.endswith(PARQUET))


def is_below(path: str) -> bool:
    """Tell whether a path that a catalogue names stays below the place of its files."""
    return not Path(path).is_absolute() and ".." not in Path(path).parts


def escaped(path: str) -> str:
    """Return `path` so that DuckDB takes it for the name it is where it expects a pattern."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def named_in(copied: Path) -> list[Named]:
    """Return every file that a copy of a SQLite catalogue names. Raises sqlite3.Error where it cannot be read.

    Only for copies: what DuckDB has open must not be opened by another SQLite in the same process (`copies.py`).
    """
    import sqlite3  # who only reads a lake does without

    with closing(sqlite3.connect(f"file:{quote(str(copied))}?mode=ro&immutable=1", uri=True)) as opened:
        return [Named(*row) for row in opened.execute(f"SELECT {_COLUMNS} FROM ({NAMED.format(tables='')})")]


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Named]:
    found = connection.execute(
        "SELECT path::VARCHAR, table_name::VARCHAR, deletes_from::VARCHAR, row_count::BIGINT, size::BIGINT, "
        f"begin_snapshot::BIGINT, end_snapshot::BIGINT FROM ({query})"
    ).fetchall()
    return [Named(*row) for row in found]
