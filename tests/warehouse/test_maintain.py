import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl

from warehouse import lake
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]
NOTHING = timedelta(0)


def _files(world: Path, table: str = "liquidations") -> int:
    return len(list((world / "lake/files/main" / table).rglob("*.parquet")))


def test_small_files_and_inlined_rows_become_one_file_and_the_rows_stay(writer: Lake, world: Path, liquidations: Maker) -> None:
    for turn in range(6):
        append(writer, {"liquidations": liquidations(200 if turn % 2 else 5, first=1000 * turn)})
    before = writer.connection.execute("FROM liquidations ORDER BY event_key").fetchall()
    done = maintain(writer, keep_files=NOTHING)
    assert done.rows_flushed >= 15
    assert (done.files_merged >= 4, _files(world)) == (True, 1)
    assert writer.connection.execute("FROM liquidations ORDER BY event_key").fetchall() == before


def test_replaced_files_stay_for_running_queries_until_their_time(writer: Lake, world: Path, liquidations: Maker) -> None:
    for turn in range(3):
        append(writer, {"liquidations": liquidations(200, first=1000 * turn)})
    assert maintain(writer, keep_files=timedelta(minutes=5)).files_deleted == 0
    assert _files(world) == 4
    assert maintain(writer, keep_files=NOTHING).files_deleted == 3
    assert _files(world) == 1


def test_snapshots_younger_than_asked_for_stay_readable(writer: Lake, liquidations: Maker) -> None:
    append(writer, {"liquidations": liquidations(200)})
    number = writer.connection.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchone()
    append(writer, {"liquidations": liquidations(200, first=5000)})
    assert maintain(writer, keep_snapshots=timedelta(minutes=5), keep_files=NOTHING).snapshots_expired == 0
    then = f"SELECT count(*) FROM liquidations AT (VERSION => {number[0] if number else 0})"
    assert writer.connection.execute(then).fetchone() == (200,)
    assert maintain(writer, keep_snapshots=NOTHING).snapshots_expired > 3
    assert writer.connection.execute("SELECT count(*) FROM liquidations").fetchone() == (400,)


def test_a_file_that_no_commit_names_is_deleted_when_it_is_old(writer: Lake, world: Path, liquidations: Maker) -> None:
    append(writer, {"liquidations": liquidations(200)})
    lost = world / "lake/files/main/liquidations/lost.parquet"
    lost.write_bytes(b"of a writer that was killed")
    assert maintain(writer).files_deleted == 0
    os.utime(lost, (0, 0))
    assert maintain(writer).files_deleted == 1
    assert writer.connection.execute("SELECT count(*) FROM liquidations").fetchone() == (200,)


def test_a_second_run_finds_nothing_to_do(writer: Lake, liquidations: Maker) -> None:
    append(writer, {"liquidations": liquidations(200)})
    maintain(writer)
    assert set(maintain(writer)) == {0}


def test_a_query_begun_before_ends_as_if_nothing_happened(writer: Lake, world: Path, liquidations: Maker) -> None:
    for turn in range(5):
        append(writer, {"liquidations": liquidations(3000, first=10_000 * turn)})
    with lake.open(world) as reader:
        begun = reader.connection.execute("SELECT event_key FROM liquidations").to_arrow_reader(1000)
        first = begun.read_next_batch().num_rows
        maintain(writer)
        assert first + sum(batch.num_rows for batch in begun) == 15_000
