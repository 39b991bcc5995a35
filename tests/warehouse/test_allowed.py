"""A reading command only reads: no SQL that it takes changes the lake or any file."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from liq import app
from warehouse import lake
from warehouse.errors import QueryError
from warehouse.lake import Lake
from warehouse.query import query, run
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]

ATTEMPTS = (
    "ATTACH 'ducklake:sqlite:{lake}/catalog.sqlite' AS w; DELETE FROM w.liquidations",
    "USE memory; DETACH lake; ATTACH 'ducklake:sqlite:{lake}/catalog.sqlite' AS lake; DELETE FROM lake.liquidations",
    "ATTACH '{lake}/catalog.sqlite' AS c (TYPE sqlite); DELETE FROM c.ducklake_data_file",
    "ATTACH 'ducklake:{lake}/mine.ducklake' AS w (DATA_PATH '{files}/')",
    "ATTACH '{files}/new.db' AS n",
    "ATTACH ':memory:' AS m",
    "DETACH lake",
    "COPY (SELECT 1) TO '{outside}'",
    "COPY (SELECT 1) TO '{files}/new.csv'",
    "COPY (SELECT 1) TO '{file}' (FORMAT parquet)",
    "COPY liquidations TO '{files}/new.parquet'",
    "COPY FROM DATABASE lake TO memory",
    "COPY liquidations FROM '{file}'",
    "/* a comment */ COPY (SELECT 1) TO '{outside}'",
    "SELECT 1; COPY (SELECT 1) TO '{files}/new.csv'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{files}/new.csv'",
    "EXPLAIN (ANALYZE, FORMAT json) COPY (SELECT 1) TO '{files}/new.csv'",
    "EXPLAIN ANALYZE DELETE FROM liquidations",
    "EXPORT DATABASE '{files}/all'",
    "IMPORT DATABASE '{files}'",
    "PRAGMA import_database('{files}')",
    "INSERT INTO liquidations (venue) VALUES ('x')",
    "UPDATE liquidations SET venue = 'x'",
    "DELETE FROM liquidations",
    "WITH gone AS (SELECT 1) DELETE FROM liquidations",
    "TRUNCATE liquidations",
    "MERGE INTO liquidations USING (SELECT 1) ON true WHEN MATCHED THEN DELETE",
    "DROP TABLE liquidations",
    "DROP VIEW liquidation_totals",
    "ALTER TABLE liquidations ADD COLUMN x INTEGER",
    "COMMENT ON TABLE liquidations IS 'x'",
    "CREATE TABLE t (a INTEGER)",
    "CREATE TABLE memory.main.t AS SELECT 1",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW liquidation_totals AS SELECT 1",
    "CREATE MACRO f(a) AS TABLE FROM sqlite_query('__liq_catalogue', a)",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CREATE TYPE t AS ENUM ('a')",
    "PREPARE p AS DELETE FROM liquidations; EXECUTE p",
    "EXECUTE p",
    "CALL ducklake_cleanup_old_files('lake', cleanup_all => true)",
    "CALL lake.set_option('parquet_compression', 'gzip')",
    "FROM ducklake_cleanup_old_files('lake', cleanup_all => true)",
    "FROM ducklake_delete_orphaned_files('lake', cleanup_all => true)",
    "FROM ducklake_expire_snapshots('lake', older_than => now())",
    "FROM ducklake_add_data_files('lake', 'liquidations', '{file}')",
    "FROM ducklake_merge_adjacent_files('lake')",
    "FROM ducklake_rewrite_data_files('lake')",
    "FROM ducklake_set_option('lake', 'parquet_compression', 'gzip')",
    "FROM lake.cleanup_old_files(cleanup_all => true)",
    "FROM sqlite_query('__liq_catalogue', 'DELETE FROM ducklake_data_file RETURNING 1')",
    'FROM "SQLITE_QUERY"(\'__liq_catalogue\', \'SELECT 1\')',
    "FROM system.main.sqlite_query('__liq_catalogue', 'SELECT 1')",
    "WITH w AS (FROM sqlite_query('__liq_catalogue', 'SELECT 1')) SELECT (SELECT count(*) FROM w)",
    "SET VARIABLE a = (SELECT count(*) FROM sqlite_query('__liq_catalogue', 'SELECT 1'))",
    "DESCRIBE FROM sqlite_query('__liq_catalogue', 'SELECT 1')",
    "PIVOT (SELECT * FROM sqlite_query('__liq_catalogue', 'SELECT 1 AS a')) ON a",
    "PIVOT (SELECT * FROM \"sqlite_query\" /**/ ('__liq_catalogue', 'SELECT 1 AS a')) ON a",
    "FROM sqlite_scan('{lake}/catalog.sqlite', 'ducklake_data_file')",
    "FROM sqlite_attach('{lake}/catalog.sqlite')",
    "FROM postgres_query('__ducklake_metadata_lake', 'DELETE FROM ducklake_data_file RETURNING 1')",
    "CALL postgres_execute('__ducklake_metadata_lake', 'DELETE FROM ducklake_data_file')",
    "DELETE FROM __ducklake_metadata_lake.ducklake_data_file",
    "FROM pg_read_file('/etc/passwd')",
    "FROM query('SELECT 1')",
    "FROM json_execute_serialized_sql('{{}}')",
    "FROM checkpoint('lake')",
    "CHECKPOINT lake",
    "VACUUM",
    "CALL enable_logging(storage = 'file', storage_path = '{files}/log')",
    "FROM enable_logging(storage = 'file', storage_path = '{files}/log')",
    "PRAGMA enable_profiling = 'json'",
    "PRAGMA profiling_output = '{outside}'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET allowed_directories",
    "SET allowed_directories = ['/']",
    "SET search_path = 'memory'",
    "LOAD httpfs",
    "INSTALL httpfs",
    "UPDATE EXTENSIONS",
    "FROM read_text('/etc/passwd')",
    "FROM '/etc/passwd.csv'",
    "FROM read_csv('{files}/../catalog.sqlite')",
    "FROM read_blob('{files}/../../../../../../../../etc/passwd')",
    "FROM glob('/etc/*')",
    "FROM 's3://bucket/file.parquet'",
    "FROM 'http://127.0.0.1/file.csv'",
    "SELECT getenv('HOME')",
    "FROM duckdb_secrets()",
)  # fmt: skip

QUERIES = (
    "FROM liquidations",
    "SELECT venue, count(*) FROM liquidations GROUP BY ALL ORDER BY 2 DESC -- a comment",
    "FROM liquidation_totals",
    "FROM totals(24)",
    "FROM totals(24); FROM totals(1);",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) FROM n",
    "VALUES (1), (2)",
    "TABLE liquidations",
    "FROM range(3) AS t(i) SELECT [x + 1 FOR x IN range(i)]",
    "PIVOT (SELECT venue, 1 AS one FROM liquidations) ON venue USING sum(one)",
    "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "DESCRIBE liquidations",
    "SUMMARIZE liquidations",
    "EXPLAIN FROM liquidations",
    "EXPLAIN ANALYZE FROM liquidations",
    "EXPLAIN (FORMAT json) FROM liquidations",
    "EXPLAIN/**/SELECT 1",
    "EXPLAIN(ANALYZE)SELECT 1",
    "/* why */ EXPLAIN (ANALYZE, FORMAT json) SELECT count(*) FROM liquidations",
    "PRAGMA version",
    "PRAGMA table_info('liquidations')",
    "-- as of then\nSET VARIABLE as_of = TIMESTAMP '2026-10-10 12:30:00'; FROM liquidation_totals",
    "SET VARIABLE n = (SELECT count(*) FROM liquidations); SELECT getvariable('n')",
    "RESET VARIABLE as_of; SELECT 1",
    "BEGIN; FROM liquidations; COMMIT; SELECT 1",
    "FROM liquidations AT (VERSION => 2)",
    "FROM ducklake_snapshots('lake')",
    "FROM lake.snapshots()",
    "FROM ducklake_table_info('lake')",
    "FROM duckdb_functions() LIMIT 1",
    "SELECT count(*) FROM read_parquet('{file}')",
    "FROM parquet_metadata('{file}')",
    "FROM glob('{files}/**/*.parquet')",
    "FROM json_each('[1]')",
)


@pytest.fixture
def filled(world: Path, writer: Lake, liquidations: Maker) -> Path:
    append(writer, {"liquidations": liquidations(5)})
    return world


@pytest.fixture
def liq(filled: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("LIQ_DATA", str(filled))
    return lambda *words, **more: CliRunner().invoke(app, words, **more)


def _named(sql: str, reader: Lake) -> str:
    found = reader.connection.execute("SELECT data_file FROM ducklake_list_files('lake', 'liquidations')").fetchone()
    assert found
    where = {"lake": reader.world / "lake", "files": reader.place.files.rstrip("/"), "file": found[0]}
    return sql.format(**where, outside=reader.world / "outside.csv")


def _contents(reader: Lake) -> dict[str, str]:
    """Return every file with a hash of what is in it; SQLite's own two beside the catalogue come and go with readers."""
    found = (path for path in reader.world.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal")))
    local = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
    if reader.place.local_files:
        return local
    hashed = f"SELECT filename, sha256(content) FROM read_blob('{reader.place.files}**')"
    return local | dict(reader.connection.execute(hashed).fetchall())


def test_no_attempt_to_write_changes_the_lake_or_a_file(filled: Path, writer: Lake) -> None:
    writer.close()
    with lake.open(filled) as reader:
        before, rows = _contents(reader), run(reader, "FROM liquidations").frame()
        for attempt in ATTEMPTS:
            with pytest.raises(QueryError):
                run(reader, _named(attempt, reader)).frame()
            assert _contents(reader) == before, attempt
        assert run(reader, "FROM liquidations").frame().equals(rows)


def test_what_is_refused_names_the_way_to_allow_it(filled: Path) -> None:
    for attempt in ("COPY (SELECT 1) TO 'x.csv'", "FROM sqlite_query('a', 'b')", "CREATE TABLE t (a INTEGER)"):
        with pytest.raises(QueryError, match=r"only reads the warehouse: .* is refused; `liq sql --unlocked`"):
            query(attempt, filled)


def test_whatever_only_reads_is_run(filled: Path) -> None:
    with lake.open(filled) as reader:
        for asked in QUERIES:
            run(reader, _named(asked, reader)).frame()


def test_a_reader_reaches_no_file_outside_the_lake_whatever_it_runs(filled: Path, tmp_path: Path) -> None:
    with lake.open(filled) as reader:
        for sql in (
            f"COPY (SELECT 1) TO '{filled}/outside.csv'",
            "FROM read_text('/etc/passwd')",
            f"FROM read_text('{reader.place.files}../../../../../../../../../../etc/passwd')",
            f"ATTACH '{tmp_path}/other.db' AS other",
            "SET enable_external_access = true",
            "LOAD spatial",
        ):
            with pytest.raises(duckdb.Error):
                reader.connection.execute(sql)


def test_a_renewed_reader_is_locked_as_before(filled: Path) -> None:
    with lake.open(filled) as reader:
        reader.renew()
        with pytest.raises(duckdb.Error, match="disabled by configuration"):
            reader.connection.execute("FROM read_text('/etc/passwd')")


@pytest.fixture
def as_command(liq: Callable[..., Result]) -> Callable[[str, bool], Result]:
    def ask(sql: str, unlocked: bool) -> Result:
        return liq("sql", *(["--unlocked"] if unlocked else []), sql)

    return ask


def test_sql_and_shell_write_a_file_only_when_unlocked(
    as_command: Callable[[str, bool], Result], liq: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "out.csv"
    copy = f"COPY (SELECT 1 AS one) TO '{file}'"
    refused: Any = as_command(copy, False)
    assert (refused.exit_code, len(refused.stderr.splitlines()), file.exists()) == (1, 1, False)
    assert "COPY is refused" in liq("shell", input=copy + ";\n").stdout
    assert not file.exists()
    assert as_command(copy, True).exit_code == 0
    assert file.read_text() == "one\n1\n"
    file.unlink()
    assert liq("shell", "--unlocked", input=copy + ";\n").exit_code == 0
    assert file.exists()


def test_unlocked_the_lake_is_read_only_still(as_command: Callable[[str, bool], Result]) -> None:
    done = as_command("DELETE FROM liquidations", True)
    assert (done.exit_code, "only reads the warehouse" in done.stderr) == (1, True)
