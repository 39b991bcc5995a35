"""`liq verify` finds whatever is wrong with a lake, names it, and finds nothing where nothing is."""

import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import Result

from tests.warehouse.keeping.destroyed import files, fill, flips, lose_catalogue
from warehouse import lake, schema
from warehouse.keeping.copies import copy
from warehouse.keeping.verify import verify
from warehouse.lake import METADATA, Lake
from warehouse.maintain import maintain
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]
AT_ONCE = timedelta(0)
FOLDER = pytest.mark.local("files in a folder that are harmed there, with their checksums")


@pytest.fixture
def filled(filled: Path, writer: Lake) -> Path:
    maintain(writer, AT_ONCE, AT_ONCE)
    return filled


def _faults(world: Path) -> tuple[str, ...]:
    with lake.open(world) as reader:
        return verify(reader).faults


@FOLDER
def test_a_whole_lake_is_whole(filled: Path, liq: Callable[..., Result]) -> None:
    done = liq("verify")
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"{len(files(filled)):,} files" in done.stdout
    assert ": whole" in done.stdout
    assert "no checksum" not in done.stdout


@FOLDER
@pytest.mark.parametrize("harm", ["gone", "cut", "grown", "empty", "another"])
def test_a_file_that_was_harmed_is_named_with_what_is_wrong(
    filled: Path, liq: Callable[..., Result], harm: str
) -> None:
    file = next(path for path in files(filled, "liquidations") if "delete" not in path.name)
    whole = file.read_bytes()
    told = {
        "gone": "missing",
        "cut": f"has 100 bytes, {len(whole):,} were written",
        "grown": f"has {len(whole) + 1:,} bytes",
        "empty": "has 0 bytes",
        "another": "changed: its SHA-256 is",
    }[harm]
    new = {"cut": whole[:100], "grown": whole + b"x", "empty": b"", "another": whole[::-1]}
    file.unlink()
    if harm in new:
        file.write_bytes(new[harm])
    done = liq("verify")
    assert done.exit_code == 1
    assert f"{file}: {told}" in done.stdout
    assert ": 1 faults" in done.stdout


@FOLDER
def test_each_of_eighty_flipped_bits_is_found(filled: Path) -> None:
    with lake.open(filled) as reader:
        for file, at in flips(files(filled), 80):
            (fault,) = verify(reader).faults
            assert fault.startswith(f"{file}: changed"), at
        assert verify(reader).faults == ()


@FOLDER
def test_a_file_that_a_killed_writer_left_is_counted_and_is_no_fault(filled: Path, liq: Callable[..., Result]) -> None:
    stray = filled / "lake/files/main/liquidations/stray.parquet"
    stray.write_bytes(b"of a writer that was killed")
    done = liq("verify")
    assert done.exit_code == 0
    assert "1 files there do not belong to it: `liq maintain --list-unknown` lists them" in done.stdout
    assert "            27  main/liquidations/stray.parquet" in liq("maintain", "--list-unknown").stdout


@FOLDER
def test_a_catalogue_older_than_its_files_is_a_fault_though_none_of_its_own_is_gone(
    filled: Path, writer: Lake, liquidations: Maker, tmp_path: Path, liq: Callable[..., Result]
) -> None:
    catalogue = filled / "lake/catalog.sqlite"
    copy(catalogue, tmp_path / "before.sqlite")
    append(writer, {"liquidations": liquidations(3, first=10**6)})
    writer.close()
    newest = max(files(filled, "liquidations"), key=lambda path: path.stat().st_mtime_ns)
    lose_catalogue(filled)
    shutil.copy(tmp_path / "before.sqlite", catalogue)
    done = liq("verify")
    assert done.exit_code == 1
    assert f"{newest}: the catalogue does not name it, and the manifest does" in done.stdout


@FOLDER
def test_without_a_checksum_a_file_is_read_whole(filled: Path) -> None:
    next((filled / "lake/files").glob("manifest-*")).unlink()
    with lake.open(filled) as reader:
        found = verify(reader)
        assert (found.faults, found.unproved) == ((), found.files)
        wrong = sum(bool(verify(reader).faults) for _ in flips(files(filled), 80))
    assert 20 < wrong < 80  # that is what a checksum is for


@FOLDER
def test_a_lost_catalogue_is_told_in_one_line(filled: Path, liq: Callable[..., Result]) -> None:
    (filled / "lake/catalog.sqlite").unlink()
    done = liq("verify")
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert "catalog.sqlite is gone, but" in done.stderr


@FOLDER
def test_a_damaged_catalogue_is_told_in_one_line(filled: Path, liq: Callable[..., Result], writer: Lake) -> None:
    writer.close()
    catalogue = filled / "lake/catalog.sqlite"
    with catalogue.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 20_000)
    done = liq("verify")
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert "restore" in done.stderr


@FOLDER
def test_the_catalogue_of_yesterday_is_found_out(
    filled: Path, writer: Lake, rows: Maker, liquidations: Maker, tmp_path: Path, liq: Callable[..., Result]
) -> None:
    catalogue = filled / "lake/catalog.sqlite"
    copy(catalogue, tmp_path / "yesterday.sqlite")
    before = {str(path) for path in files(filled)}
    fill(writer, rows, liquidations, first=10)
    maintain(writer, AT_ONCE, AT_ONCE)
    writer.close()
    after = {str(path) for path in files(filled)}
    for old in (filled / "lake").glob("catalog.sqlite*"):
        old.unlink()
    shutil.copy(tmp_path / "yesterday.sqlite", catalogue)
    done = liq("verify")
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines() if line.startswith(str(filled)))
    assert done.exit_code == 1
    assert {path for path, fault in told.items() if fault == "missing"} == before - after
    assert {path for path, fault in told.items() if "does not name it" in fault} == after - before
    assert before - after
    assert after - before


def test_rows_that_the_accounts_do_not_have_are_named(filled: Path, writer: Lake, rows: Maker) -> None:
    frame = {"venue": "bybit", "session": "s2", "seq": 1, "kafka_topic": "raw.liquidation", "kafka_partition": 0}
    append(writer, {"raw_frames": rows("raw_frames", frame | {"kafka_offset": 10**6})})
    with writer.transaction() as connection:
        connection.execute("DELETE FROM raw_frames WHERE session = 's1' AND seq = 4")
    assert _faults(filled) == (
        "raw_frames has not the frames of raw.liquidation that session_frames counts: session s1, partition 0: 18 accounted, "
        "17 stored",
        "raw_frames has not the frames of raw.liquidation that session_frames counts: session s2, partition 0: 0 accounted, "
        "1 stored",
        "ingest_commits ends before a frame of raw_frames: raw.liquidation, partition 0: 18 accounted, 1,000,001 stored",
    )


def test_a_row_count_that_the_catalogue_has_wrong_is_named(filled: Path, writer: Lake) -> None:
    with writer.write_lock():
        writer.connection.execute(f"UPDATE {METADATA}.ducklake_data_file SET record_count = 99 WHERE record_count = 18")
    (fault,) = _faults(filled)
    assert fault.endswith("has 18 rows, the catalogue says 99")


def test_beside_a_writer_and_upkeep_a_whole_lake_is_whole(filled: Path, liquidations: Maker) -> None:
    stop = threading.Event()

    def write() -> None:
        with lake.open(filled, read_only=False) as other:
            key = 10**6
            while not stop.is_set():
                append(other, {"liquidations": liquidations(3, first=key)})
                maintain(other, timedelta(seconds=60), timedelta(seconds=60))
                key += 10

    thread = threading.Thread(target=write)
    thread.start()
    try:
        found = [_faults(filled) for _ in range(4)]
    finally:
        stop.set()
        thread.join()
    assert found == [()] * 4


def test_a_lake_with_its_files_on_s3_is_verified_without_checksums(
    tmp_path: Path, on_s3: None, liquidations: Maker
) -> None:
    schema.create_or_migrate(tmp_path)
    with lake.open(tmp_path, read_only=False) as writer:
        append(writer, {"liquidations": liquidations(5)})
    with lake.open(tmp_path) as reader:
        found = verify(reader)
        assert (found.faults, found.unproved) == ((), found.files)
    with lake.open(tmp_path, read_only=False) as writer:
        target = writer.place.files + "main/liquidations/stray.parquet"
        writer.connection.execute(f"COPY (SELECT 1) TO '{target}' (FORMAT parquet)")
        set_rows = f"UPDATE {METADATA}.ducklake_data_file SET record_count = 6 WHERE record_count = 5"
        writer.connection.execute(set_rows)
    with lake.open(tmp_path) as reader:
        found = verify(reader)
    (fault,) = found.faults
    assert fault.endswith("has 5 rows, the catalogue says 6")
    assert found.unknown == 1


@FOLDER
def test_a_damaged_file_that_duckdb_does_not_name_is_named_by_every_command(
    filled: Path, liq: Callable[..., Result]
) -> None:
    file = next(path for path in files(filled, "liquidations") if "delete" not in path.name)
    whole = file.read_bytes()
    file.write_bytes(whole[:-8] + b"\xff" * 4 + whole[-4:])
    for words in (
        ["sql", "SELECT sum(notional_usd) FROM liquidations"],
        ["audit", "--since", "2026-10-05", "--until", "2026-10-06"],
    ):
        done = liq(*words)
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
        assert str(file) in done.stderr
        assert "`liq verify` names each one" in done.stderr
