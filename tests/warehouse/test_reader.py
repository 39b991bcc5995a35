import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from liq import app
from warehouse import lake, schema
from warehouse.errors import QueryError
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.query import query
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]
FIRST_DAY = datetime(2026, 10, 1)  # noqa: DTZ001
AT_NOON_OF_THE_FIFTH = "SET VARIABLE as_of = TIMESTAMP '2026-10-05 12:00:00'"


def _files_read(opened: Lake, sql: str) -> list[int]:
    """Return how many files each scan of `sql` opened, from the executed plan."""
    plan = opened.connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}").fetchall()[0][1]
    return [int(number) for number in re.findall(r'"Total Files Read": "(\d+)"', plan)]


@pytest.fixture
def ten_days(writer: Lake, liquidations: Maker) -> Lake:
    for day in range(10):
        for part in range(2):
            frame = liquidations(100, FIRST_DAY + timedelta(days=day, hours=6 * part), 1000 * day + 100 * part)
            append(writer, {"liquidations": frame})
    maintain(writer)
    return writer


def test_a_one_day_query_opens_one_days_files(ten_days: Lake) -> None:
    assert _files_read(ten_days, "SELECT sum(notional_usd) FROM liquidations") == [10]
    day = "ts_event >= TIMESTAMP '2026-10-05' AND ts_event < TIMESTAMP '2026-10-06'"
    assert _files_read(ten_days, f"SELECT sum(notional_usd) FROM liquidations WHERE {day}") == [1]
    assert set(_files_read(ten_days, f"SELECT sum(notional_usd) FROM liquidations_filled_in WHERE {day}")) <= {0, 1}


def test_rows_to_be_completed_are_sought_in_the_files_of_the_day_only(ten_days: Lake, liquidations: Maker) -> None:
    for day in range(10):
        incomplete = liquidations(3, FIRST_DAY + timedelta(days=day, hours=20), 10**6 + 10 * day, notional_usd=None)
        append(ten_days, {"liquidations": incomplete})
    day = "ts_event >= TIMESTAMP '2026-10-05' AND ts_event < TIMESTAMP '2026-10-06'"
    assert (
        max(_files_read(ten_days, f"SELECT count(base), sum(notional_usd) FROM liquidations_filled_in WHERE {day}"))
        == 2
    )


@pytest.mark.parametrize("view", ["liquidation_totals", "liquidations_by_minute"])
def test_a_view_of_the_last_24_hours_opens_the_files_of_its_two_days(ten_days: Lake, view: str) -> None:
    ten_days.connection.execute(AT_NOON_OF_THE_FIFTH)
    assert max(_files_read(ten_days, f"FROM {view}")) <= 2
    assert ten_days.connection.execute(f"SELECT sum(count) FROM {view}").fetchone() != (None,)


@pytest.mark.parametrize(
    "asked",
    ["liquidation_totals_by_coin", "liquidation_totals_by_venue", "liquidation_totals_overall", "liquidation_largest",
     "liquidation_imbalance", "liquidation_heatmap_realised", "totals(24)", "totals(720)",
     "largest(24, coin := 'BTC')", "feed(1, NULL)", "heatmap(NULL, as_of() - INTERVAL 24 HOURS, 10)"],
)  # fmt: skip
def test_what_is_asked_of_the_last_24_hours_opens_at_most_their_two_days(ten_days: Lake, asked: str) -> None:
    ten_days.connection.execute("SET VARIABLE as_of = TIMESTAMP '2026-10-05 06:30:00'")
    assert 1 <= max(_files_read(ten_days, f"FROM {asked}")) <= 2


def test_a_heatmap_since_a_day_opens_the_files_from_that_day_on(ten_days: Lake) -> None:
    ten_days.connection.execute(AT_NOON_OF_THE_FIFTH)
    assert max(_files_read(ten_days, "FROM heatmap(NULL, '2026-10-02 00:00:00', 10)")) == 4
    assert max(_files_read(ten_days, "FROM heatmap(NULL, '2026-10-02 00:00:00')")) <= 2  # what is older is in the cells


def test_stored_keys_are_sought_in_the_files_of_their_time_only(ten_days: Lake, liquidations: Maker) -> None:
    from warehouse.tables import TABLES
    from warehouse.writer import _not_stored

    ten_days.connection.register("batch", liquidations(50, FIRST_DAY + timedelta(days=3)).to_arrow())
    join = _not_stored(TABLES["liquidations"], liquidations(50, FIRST_DAY + timedelta(days=3)))
    assert _files_read(ten_days, f"SELECT count(*) FROM batch{join}") == [1]


def test_a_reader_sees_whole_commits_while_the_writer_writes(world: Path, liquidations: Maker, commit: Maker) -> None:
    looked = threading.Event()

    def write() -> None:
        with lake.open(world, read_only=False) as opened:
            for turn in range(15):
                append(opened, {"liquidations": liquidations(100, first=100 * turn), "ingest_commits": commit(turn)})
                looked.clear()
                looked.wait(timeout=60)
            maintain(opened)

    both = "SELECT (SELECT count(*) FROM liquidations), (SELECT count(*) FROM ingest_commits)"
    thread = threading.Thread(target=write)
    thread.start()
    seen = set()
    with lake.open(world) as reader:
        while thread.is_alive():
            seen.add(reader.connection.execute(both).fetchone())
            looked.set()
        seen.add(reader.connection.execute(both).fetchone())
    thread.join()
    assert all(rows == 100 * commits for rows, commits in seen)
    assert (1500, 15) in seen
    assert len(seen) > 2


def test_a_reader_that_would_write_is_refused(world: Path) -> None:
    for statement in (
        "INSERT INTO liquidations (venue) VALUES ('x')",
        "DROP TABLE liquidations",
        "CREATE TABLE t (a INTEGER)",
    ):
        with pytest.raises(QueryError, match="only read"):
            query(statement, world)


@pytest.mark.local("a SQLite catalogue")
def test_a_bare_duckdb_attaches_the_catalogue_and_sees_the_views(
    world: Path, writer: Lake, liquidations: Maker
) -> None:
    # the fixture's world is a copy, so its catalogue still names the place it was copied from
    assert schema.create_or_migrate(world) == [f"files: moved to {world}/lake/files/"]
    append(writer, {"liquidations": liquidations(3, datetime(2026, 10, 5, 11, 30))})  # noqa: DTZ001
    shell = f"""
import duckdb
from duckdb_extensions import import_extension
connection = duckdb.connect()
for name in ("ducklake", "sqlite_scanner"):
    import_extension(name, con=connection)
connection.execute("LOAD ducklake; LOAD sqlite_scanner; ATTACH 'ducklake:sqlite:{world}/lake/catalog.sqlite' AS wh (READ_ONLY)")
connection.execute("{AT_NOON_OF_THE_FIFTH}")
print(connection.execute("SELECT hours, count FROM wh.liquidation_totals ORDER BY hours").fetchall())
"""
    done = subprocess.run([sys.executable, "-c", shell], capture_output=True, text=True, cwd="/", check=False)
    assert done.stdout.strip() == "[(1, 3), (4, 3), (12, 3), (24, 3)]", done.stderr


@pytest.mark.local("a SQLite catalogue")
def test_the_catalogue_is_in_wal_mode(world: Path) -> None:
    connection = sqlite3.connect(world / "lake" / "catalog.sqlite")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


@pytest.mark.local("files in a folder that are harmed there; test_place.py has one on S3")
@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_a_damaged_file_is_told_in_one_line_that_names_it_and_liq_verify(
    world: Path, writer: Lake, liquidations: Maker, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(writer, {"liquidations": liquidations(20)})
    (file,) = (world / "lake/files/main/liquidations").rglob("*.parquet")
    whole = file.read_bytes()
    file.unlink()
    if harm != "gone":
        file.write_bytes(whole[:1000] if harm == "cut" else whole[:-8] + b"\xff" * 4 + whole[-4:])
    monkeypatch.setenv("LIQ_DATA", str(world))
    for words in (
        ["sql", "SELECT sum(notional_usd) FROM liquidations"],
        ["audit", "--since", "2026-10-10", "--until", "2026-10-11"],
    ):
        done = CliRunner().invoke(app, words, prog_name="liq")
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert str(file) in done.stderr
        assert "`liq verify` names each one" in done.stderr


@pytest.mark.parametrize("read_only", [True, False])
def test_once_the_lake_is_open_no_unsigned_extension_is_taken(world: Path, read_only: bool) -> None:
    with lake.open(world, read_only=read_only, unlocked=True) as opened:
        assert opened.connection.execute("SELECT current_setting('allow_unsigned_extensions')").fetchone() == (False,)
        with pytest.raises(duckdb.Error, match="Cannot change allow_unsigned_extensions"):
            opened.connection.execute("SET allow_unsigned_extensions = true")
