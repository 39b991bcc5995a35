import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from warehouse import lake
from warehouse.compact import compressed_harder
from warehouse.keeping.copies import copy_beside
from warehouse.keeping.record import kept
from warehouse.keeping.unknown import delete_unknown, unknown
from warehouse.lake import METADATA, Lake
from warehouse.maintain import maintain
from warehouse.tables import TABLES
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]
NOTHING = timedelta(0)
NOON = datetime(2026, 10, 10, 12)  # noqa: DTZ001
OWN = pytest.mark.local("files in the world's own folder, the only unknown ones that are deleted")
ONLY = {"liquidations": TABLES["liquidations"]}  # without what each append leaves to the rollups


def _files(of: Lake, table: str = "liquidations") -> int:
    found = of.connection.execute(f"SELECT count(*) FROM glob('{of.place.files}main/{table}/**/*.parquet')").fetchone()
    return int(found[0]) if found else 0


def test_small_files_of_a_day_become_one_in_the_tables_order_and_the_rows_stay(
    writer: Lake, liquidations: Maker
) -> None:
    for turn in (3, 0, 2, 1):
        append(writer, {"liquidations": liquidations(20, NOON + timedelta(minutes=turn), 1000 * turn)})
    append(writer, {"liquidations": liquidations(20, NOON + timedelta(days=1), 9000)})
    before = writer.connection.execute("FROM liquidations ORDER BY event_key").fetchall()
    done = maintain(writer, NOTHING, NOTHING, ONLY)
    assert (done.files_joined, done.files_made, _files(writer)) == (4, 1, 2)
    assert writer.connection.execute("FROM liquidations ORDER BY event_key").fetchall() == before
    stored = writer.connection.execute("SELECT ts_event FROM liquidations WHERE ts_event < '2026-10-11'").fetchall()
    assert stored == sorted(stored)


def test_replaced_files_stay_for_running_queries_until_their_time(writer: Lake, liquidations: Maker) -> None:
    for turn in range(3):
        append(writer, {"liquidations": liquidations(20, first=1000 * turn)})
    minutes = timedelta(minutes=5)
    assert maintain(writer, minutes, NOTHING, ONLY).files_deleted == 0  # in the catalogue still
    assert maintain(writer, NOTHING, minutes, ONLY).files_deleted == 0  # out of it, and on disk still
    assert _files(writer) == 4
    assert maintain(writer, NOTHING, NOTHING, ONLY).files_deleted == 3
    assert _files(writer) == 1


def test_snapshots_younger_than_asked_for_stay_readable(writer: Lake, liquidations: Maker) -> None:
    append(writer, {"liquidations": liquidations(200)})
    number = writer.connection.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchone()
    append(writer, {"liquidations": liquidations(200, first=5000)})
    assert maintain(writer, keep_snapshots=timedelta(days=1), keep_files=NOTHING).snapshots_expired == 0
    then = f"SELECT count(*) FROM liquidations AT (VERSION => {number[0] if number else 0})"
    assert writer.connection.execute(then).fetchone() == (200,)
    assert maintain(writer, keep_snapshots=NOTHING).snapshots_expired > 3
    assert writer.connection.execute("SELECT count(*) FROM liquidations").fetchone() == (400,)


@OWN
def test_a_file_that_no_commit_names_stays_until_it_is_asked_to_go(
    writer: Lake, world: Path, liquidations: Maker
) -> None:
    append(writer, {"liquidations": liquidations(200)})
    lost = world / "lake/files/main/liquidations/lost.parquet"
    lost.write_bytes(b"of a writer that was killed")
    os.utime(lost, (0, 0))
    done = maintain(writer, NOTHING, NOTHING)
    assert (done.files_unknown, lost.exists()) == (1, True)
    (found,) = unknown(writer)
    assert (found.path, found.size) == ("main/liquidations/lost.parquet", 27)
    assert delete_unknown(writer, [found]) == [found]
    assert not lost.exists()
    assert maintain(writer, NOTHING, NOTHING).files_unknown == 0
    assert writer.connection.execute("SELECT count(*) FROM liquidations").fetchone() == (200,)


@OWN
def test_no_unknown_file_is_deleted_that_is_young_or_that_a_copy_or_another_catalogue_names(
    writer: Lake, world: Path, liquidations: Maker
) -> None:
    append(writer, {"liquidations": liquidations(5)})
    (stored,) = (world / "lake/files/main/liquidations").rglob("*.parquet")
    young, theirs, copied = (stored.with_name(f"{name}.parquet") for name in ("young", "theirs", "copied"))
    for file in (young, theirs, copied):
        file.write_bytes(stored.read_bytes())
    for file in (theirs, copied):
        os.utime(file, (0, 0))
    path = str(theirs.relative_to(world / "lake/files"))
    line = {"file": path, "table": "liquidations", "rows": 5, "bytes": 1}
    (world / "lake/files/manifest-another.jsonl").write_text(f'{json.dumps(line)}\n{{"snapshot": 4, "at": ""}}\n')
    copy = copy_beside(world / "lake/catalog.sqlite")
    with closing(sqlite3.connect(copy)) as opened, opened:
        opened.execute("UPDATE ducklake_data_file SET path = replace(path, ?, ?)", [stored.stem, copied.stem])
    found = unknown(writer)
    assert {Path(each.path).stem: bool(each.named_by) for each in found} == {
        "young": False,
        "theirs": True,
        "copied": True,
    }
    assert delete_unknown(writer, found) == []
    copy.unlink()
    assert [Path(each.path).stem for each in delete_unknown(writer, unknown(writer))] == ["copied"]


def test_nothing_is_deleted_while_a_backup_is_made(writer: Lake, liquidations: Maker) -> None:
    for turn in range(3):
        append(writer, {"liquidations": liquidations(20, first=1000 * turn)})
    with kept(writer.place, alone=False):
        assert maintain(writer, NOTHING, NOTHING, ONLY).files_deleted == 0
        assert _files(writer) == 4
    assert maintain(writer, NOTHING, NOTHING, ONLY).files_deleted == 3


@pytest.mark.local("copies of a SQLite catalogue")
def test_nothing_is_deleted_where_the_catalogue_cannot_be_copied(
    writer: Lake, world: Path, liquidations: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for turn in range(3):
        append(writer, {"liquidations": liquidations(20, first=1000 * turn)})
    shutil.rmtree(world / "lake/copies")
    (world / "lake/copies").write_text("in the way")
    append(writer, {"liquidations": liquidations(20, NOON + timedelta(days=1), 9000)})  # and it is stored all the same
    assert maintain(writer, NOTHING, NOTHING, ONLY).files_deleted == 0
    (world / "lake/copies").unlink()
    assert maintain(writer, NOTHING, NOTHING, ONLY).files_deleted == 3


def test_a_scheduled_file_outside_the_lake_is_never_deleted(writer: Lake, world: Path, tmp_path: Path) -> None:
    outside = [tmp_path / "outside.parquet", world / "lake/beside.parquet"]
    for file in outside:
        file.write_bytes(b"of others")
    paths = [(str(outside[0]), 0), ("../beside.parquet", 1), (f"main/../../{outside[1].name}", 1)]
    for number, (path, relative) in enumerate(paths):
        writer.connection.execute(
            f"INSERT INTO {METADATA}.ducklake_files_scheduled_for_deletion VALUES (?, ?, ?, ?)",
            [10_000 + number, path, relative, "2026-01-01 00:00:00+00"],
        )
    assert maintain(writer, NOTHING, NOTHING).files_deleted == 0
    assert all(file.exists() for file in outside)


def test_a_second_run_finds_nothing_to_do(writer: Lake, liquidations: Maker) -> None:
    append(writer, {"liquidations": liquidations(200)})
    maintain(writer)
    assert maintain(writer)[:2] == (0, 0)


def test_a_query_begun_before_ends_as_if_nothing_happened(writer: Lake, world: Path, liquidations: Maker) -> None:
    for turn in range(5):
        append(writer, {"liquidations": liquidations(3000, first=10_000 * turn)})
    with lake.open(world) as reader:
        begun = reader.connection.execute("SELECT event_key FROM liquidations").to_arrow_reader(1000)
        first = begun.read_next_batch().num_rows
        assert maintain(writer, known=ONLY).files_joined == 5
        assert first + sum(batch.num_rows for batch in begun) == 15_000


def test_no_query_misses_a_row_while_files_are_joined_and_expired(
    writer: Lake, world: Path, liquidations: Maker
) -> None:
    append(writer, {"liquidations": liquidations(100)})
    found = [100]

    def keep_joining() -> None:
        with lake.open(world, read_only=False) as other:
            for turn in range(1, 13):
                append(other, {"liquidations": liquidations(1, first=1000 * turn)})
                maintain(other, keep_snapshots=timedelta(seconds=30))

    thread = threading.Thread(target=keep_joining)
    thread.start()
    with lake.open(world) as reader:
        while thread.is_alive():
            found += reader.connection.execute("SELECT count(*) FROM liquidations").fetchone() or ()
            found += reader.connection.execute("SELECT count(seq + 1) + count(*) FROM liquidations").fetchone() or ()
        found += reader.connection.execute("SELECT count(*) FROM liquidations").fetchone() or ()
    thread.join()
    assert found == sorted(found)
    assert found[-1] == 112


def test_joined_files_are_compressed_harder_and_new_ones_as_before(writer: Lake, liquidations: Maker) -> None:
    def level() -> tuple[str, ...] | None:
        query = "SELECT value FROM ducklake_options('lake') WHERE option_name = ? AND scope_entry = 'main.liquidations'"
        return writer.connection.execute(query, ["parquet_compression_level"]).fetchone()

    table = TABLES["liquidations"]
    assert level() == (str(table.zstd_level),)
    with compressed_harder(writer, table):
        assert level() == (str(table.zstd_joined),)
    for turn in range(2):
        append(writer, {"liquidations": liquidations(20, first=1000 * turn)})
    maintain(writer, NOTHING, NOTHING, ONLY)
    assert level() == (str(table.zstd_level),)
