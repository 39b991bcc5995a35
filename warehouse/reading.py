"""How a reader attaches the lake: it reads the statistics of the files once, not at every scan.

DuckLake finds the files of a scan by the statistics of the columns that the scan filters on, and for each such column it reads
those of all columns of all tables: DuckDB's SQLite scanner passes no filter on, so an index does not help. Measured: 0.28 ms
a thousand of them; the 23,700 of a year of liquidations make 7 ms, and a year of every table has 72,000 at a file a day.

So DuckLake is given a catalogue of views over the real one. All but one show a table as it is. That of the statistics shows
those of times as they were when the reader was opened, and whatever was added since. What was taken stays true: a file's
statistics never change, and its number is never given again. Files are cut by time and sorted by contract, so the statistics
of other columns leave out none. A file without statistics is opened (in DuckLake's source: `ConvertFilterPushdownToSQL`,
`CanSkipFileByTopNDynamicFilter`). Only `ducklake_rewrite_data_files` takes their absence for the absence of values and
then answers wrongly; a reader cannot run it, and that is why they are not deleted from the catalogue instead.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from warehouse.place import BUSY_TIMEOUT_MS, quoted

CATALOGUE = "__liq_catalogue"
VIEWS = "__ducklake_metadata_lake"  # DuckLake's own name for the catalogue of `lake`
STATISTICS = "ducklake_file_column_stats"

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_TIMES = "SELECT (table_id << 32) + column_id FROM ducklake_column WHERE column_type = 'timestamp'"


def attach(connection: duckdb.DuckDBPyConnection, catalogue: Path, options: list[str]) -> bool:
    """Attach the lake of the SQLite file `catalogue` as `lake`, read only; `options` are DuckLake's. Raises duckdb.Error.

    False, and nothing attached, where rows lie in the catalogue itself, as another program may have put them there: DuckLake
    reads them by the catalogue's kind.
    """
    connection.execute(
        f"ATTACH {quoted(str(catalogue))} AS {CATALOGUE} (TYPE sqlite, READ_ONLY, HIDDEN true, BUSY_TIMEOUT {BUSY_TIMEOUT_MS})"
    )
    if connection.execute(f"FROM {CATALOGUE}.ducklake_inlined_data_tables LIMIT 1").fetchone():
        connection.execute(f"DETACH {CATALOGUE}")
        return False
    with TemporaryDirectory() as folder:  # the file stays open, and with it there
        views = Path(folder) / "views.duckdb"
        connection.execute(f"ATTACH {quoted(str(views))} AS {VIEWS} (HIDDEN true)")
        connection.execute("BEGIN")
        _make_views(connection)
        connection.execute("COMMIT")
        connection.execute(f"DETACH {VIEWS}")
        connection.execute(f"ATTACH {quoted(f'ducklake:{views}')} AS lake ({', '.join([*options, 'READ_ONLY'])})")
    return True


def _make_views(connection: duckdb.DuckDBPyConnection) -> None:
    for (name,) in connection.execute(f"SELECT name FROM {_asked(_TABLES)}").fetchall():
        if name != STATISTICS:
            connection.execute(f'CREATE VIEW {VIEWS}.main."{name}" AS FROM {CATALOGUE}.main."{name}"')
    types = dict(
        connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {CATALOGUE}.{STATISTICS})").fetchall()
    )
    columns = ", ".join(f"{name}::{kind} AS {name}" for name, kind in types.items())
    asked = f"SELECT {', '.join(types)}, rowid AS place FROM {STATISTICS} WHERE "
    of_times = _asked(f"{asked}(table_id << 32) + column_id IN ({_TIMES})")
    connection.execute(f"CREATE TABLE {VIEWS}.main.taken AS SELECT {columns}, place::BIGINT AS place FROM {of_times}")
    place, file = connection.execute(
        f"SELECT coalesce(max(place), 0), coalesce(max(data_file_id), -1) FROM {VIEWS}.main.taken"
    ).fetchone() or (0, -1)
    # by place it is quick; by file none is there twice, however SQLite gives out places
    since = _asked(f"{asked}rowid > {place} AND data_file_id > {file}")
    connection.execute(
        f"CREATE VIEW {VIEWS}.main.{STATISTICS} AS "
        f"SELECT * EXCLUDE (place) FROM {VIEWS}.main.taken UNION ALL SELECT {columns} FROM {since}"
    )


def _asked(sql: str) -> str:
    """Return what stands behind FROM for `sql` run by SQLite itself."""
    return f"sqlite_query('{CATALOGUE}', {quoted(sql)})"
