"""What DuckDB 1.5.5 and DuckLake 1.0 get wrong, and we work around. A test fails once it is mended upstream: then the code
that it names can go, and the test with it. One more is in test_empty_tables.py (duckdb/ducklake 1313).
"""

import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from warehouse.extensions import load
from warehouse.keeping.files import METADATA, escaped

pytestmark = pytest.mark.local("faults of DuckDB, without a world")


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A lake with its catalogue in a SQLite file, attached as DuckLake does it by itself."""
    with duckdb.connect() as connection:
        load(connection, ["ducklake", "sqlite_scanner"])
        connection.execute(f"ATTACH 'ducklake:sqlite:{tmp_path}/c.sqlite' AS lake (DATA_PATH '{tmp_path}/files/')")
        connection.execute("USE lake; CALL lake.set_option('data_inlining_row_limit', 0)")
        yield connection


def test_ducklake_takes_all_of_a_day_for_older_than_any_time_of_it(plain: duckdb.DuckDBPyConnection) -> None:
    """`warehouse/maintain.py` expires by number. Of the kind of duckdb/ducklake 109 and 652: in SQLite times are texts."""
    plain.execute("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
    began = f"(SELECT min(snapshot_time)[1:10] || ' 00:00:00+00' FROM {METADATA}.ducklake_snapshot)"
    plain.execute(f"SET VARIABLE day = {began}::TIMESTAMPTZ")
    older = "snapshot_time::TIMESTAMPTZ < getvariable('day')"
    assert plain.execute(f"SELECT 1 FROM {METADATA}.ducklake_snapshot WHERE {older}").fetchall() == []
    call = "CALL ducklake_expire_snapshots('lake', older_than => getvariable('day'), dry_run => true)"
    assert plain.execute(call).fetchall() != []


def test_ducklakes_own_merge_takes_files_out_of_the_catalogue_at_once(plain: duckdb.DuckDBPyConnection) -> None:
    """`warehouse/compact.py` marks them as ended, so that no reader misses them. duckdb/ducklake 1413 is of that kind."""
    plain.execute("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
    files = f"SELECT data_file_id FROM {METADATA}.ducklake_data_file ORDER BY ALL"
    before = plain.execute(files).fetchall()
    plain.execute("CALL ducklake_merge_adjacent_files('lake')")
    assert len(before) == 2
    assert not set(before) & set(plain.execute(files).fetchall())


def test_ducklake_numbers_all_partition_values_of_an_added_file_alike(
    plain: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """`warehouse/keeping/rebuild.py` adds files to a table without partitions. duckdb/ducklake 1234 is near it."""
    plain.execute("CREATE TABLE t (a TIMESTAMP); ALTER TABLE t SET PARTITIONED BY (year(a), month(a), day(a))")
    folder = tmp_path / "year=2026" / "month=3" / "day=5"
    folder.mkdir(parents=True)
    plain.execute(f"COPY (SELECT TIMESTAMP '2026-03-05' AS a) TO '{folder}/x.parquet'")
    plain.execute(f"CALL ducklake_add_data_files('lake', 't', '{folder}/x.parquet')")
    found = plain.execute(f"SELECT partition_key_index FROM {METADATA}.ducklake_file_partition_value").fetchall()
    assert len(found) == 3
    assert len(set(found)) == 1


def test_ducklake_ends_its_sql_at_a_nul_of_a_text(plain: duckdb.DuckDBPyConnection) -> None:
    """`warehouse/writer.py` stores U+FFFD for each. No issue upstream is known."""
    plain.execute("CREATE TABLE t (a VARCHAR); ALTER TABLE t SET PARTITIONED BY (a)")
    with pytest.raises(duckdb.Error, match="unterminated quoted string"):
        plain.execute("INSERT INTO t SELECT 'x' || chr(0) || 'y'")


def test_ducklake_reads_the_statistics_of_files_anew_for_every_scan(plain: duckdb.DuckDBPyConnection) -> None:
    """`warehouse/reading.py` reads them once. For PostgreSQL: duckdb/ducklake 859."""
    plain.execute("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
    plain.execute("CALL enable_logging(['DuckLakeMetadata'], level = 'trace')")
    for _ in range(3):
        plain.execute("FROM t WHERE a = 1").fetchall()
    plain.execute("CALL disable_logging()")
    asked = "SELECT count(*) FROM duckdb_logs WHERE message LIKE '%ducklake_file_column_stats%'"
    assert plain.execute(asked).fetchall() == [(3,)]


def test_ducklake_keeps_statistics_of_every_commit_while_a_connection_lives(plain: duckdb.DuckDBPyConnection) -> None:
    """`Lake.renew` begins a new connection, which holds nothing. duckdb/ducklake 1136."""
    held = "SELECT coalesce(sum(memory_usage_bytes), 0) FROM duckdb_memory() WHERE tag = 'OBJECT_CACHE'"
    columns, values = ", ".join(f"c{number} INTEGER" for number in range(40)), ", ".join("1" * 40)
    plain.execute(f"CREATE TABLE t ({columns})")
    seen = []
    for _ in range(8):
        plain.execute(f"INSERT INTO t VALUES ({values})")
        (one,) = plain.execute(held).fetchall()
        seen.append(int(one[0]))
    assert all(later > earlier for earlier, later in pairwise(seen)), seen
    assert seen[-1] > 4 * seen[0]


@pytest.mark.parametrize(
    "address", ["host=127.0.0.1 port=1 user=u password=sesame", "postgresql://u:sesame@127.0.0.1:1/x"]
)
def test_an_error_of_ducklake_quotes_the_password_of_postgresql(address: str) -> None:
    """`warehouse/password.py` keeps it out of the address. duckdb/ducklake 553, duckdb/duckdb-postgres 368."""
    with duckdb.connect() as connection:
        load(connection, ["ducklake", "postgres_scanner"])
        with pytest.raises(duckdb.Error, match="sesame"):
            connection.execute(f"ATTACH 'ducklake:postgres:{address}' AS lake")


def test_duckdb_takes_a_backslash_for_a_slash_in_a_pattern(tmp_path: Path) -> None:
    """`Place.make_folder` refuses names that have it beside a wildcard. No issue upstream is known."""
    folder = tmp_path / "a\\b[1]"
    folder.mkdir()
    file = folder / "x.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1 AS a) TO '{file}' (FORMAT parquet)")
        with pytest.raises(duckdb.IOException, match="No files found"):
            connection.execute("FROM read_parquet(?)", [escaped(str(file))])


def test_duckdb_asks_polars_for_a_table_of_pyarrows() -> None:
    """`warehouse/frames.py` hands over the frame's Arrow stream, so that ingest need not load pyarrow. No issue is known."""
    script = """
import sys
import duckdb, polars

connection = duckdb.connect()
connection.register("frame", polars.DataFrame({"a": [1]}))
connection.execute("FROM frame").fetchall()
print("pyarrow" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
