"""DuckDB without a catalogue beside the lake: our views over views of Parquet files, in the same process and as warm."""

import re
from pathlib import Path

import duckdb

from tests.bench import year
from warehouse.lake import METADATA, Lake
from warehouse.statements import statements
from warehouse.tables import TABLES

CORES = 2
_ASKED_FILES = re.compile(r"WHERE data\.table_id=(\d+)")


def files(opened: Lake) -> dict[str, list[str]]:
    """Return the live files of each table."""
    query = "SELECT data_file FROM ducklake_list_files('lake', '{}')"
    return {name: [path for (path,) in opened.connection.execute(query.format(name)).fetchall()] for name in TABLES}


def files_of(opened: Lake, sql: str, known: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return those of the `known` files that `sql` opens, as DuckLake's own queries of its catalogue find them."""
    run = opened.connection.execute
    run("CALL truncate_duckdb_logs()")
    run("CALL enable_logging(['QueryLog'])")
    run(sql).fetchall()
    run("CALL disable_logging()")
    messages = [message for (message,) in run("SELECT message FROM duckdb_logs").fetchall()]
    names = dict(run(f"SELECT table_id, table_name FROM {METADATA}.ducklake_table").fetchall())
    found: dict[str, set[str]] = {name: set() for name in known}
    for message in messages:
        if match := _ASKED_FILES.search(message):
            found[names[int(match[1])]] |= {Path(row[1]).name for row in run(message).fetchall()}
    return {name: [path for path in paths if Path(path).name in found[name]] for name, paths in known.items()}


def connect(given: dict[str, list[str]]) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB whose tables are views over the given files; where all tables are given, ours stand above unchanged."""
    connection = duckdb.connect(config={"threads": CORES})
    for name, own in given.items():
        columns = ", ".join(f'NULL::{column.type} AS "{column.name}"' for column in TABLES[name].columns)
        source = f"FROM read_parquet({own})" if own else f"SELECT {columns} WHERE false"
        connection.execute(f"CREATE VIEW {name} AS {source}")
    for statement in statements() if len(given) > 1 else ():
        connection.execute(statement.create())
    connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{year.NOW}'")
    return connection
