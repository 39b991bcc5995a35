"""A backup made beside a running ingest is a whole lake of one commit, and brings back exactly that."""

import re
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import Result

from tests.warehouse.keeping.destroyed import contents, files, fill, flips, lose_catalogue, quiet
from warehouse import lake, schema
from warehouse.errors import WarehouseBusyError, WarehouseError
from warehouse.keeping.backup import backup
from warehouse.keeping.restore import from_backup
from warehouse.keeping.verify import verify
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.writer import append

pytestmark = pytest.mark.local(
    "a backup with the catalogue and the files in it; test_backup_elsewhere.py has the others"
)

Maker = Callable[..., pl.DataFrame]
AT_ONCE = timedelta(0)


def test_what_is_restored_from_a_backup_is_what_was_backed_up(
    filled: Path, target: Path, tmp_path: Path, liq: Callable[..., Result]
) -> None:
    before = contents(filled)
    assert liq("backup", target).exit_code == 0
    assert liq("verify", world=target).exit_code == 0
    assert contents(target) == before  # a backup is a world that can be read as it is
    shutil.rmtree(filled / "lake")
    done = liq("restore", target)
    assert (done.exit_code, done.stderr) == (0, "")
    assert contents(filled) == before
    assert liq("verify").exit_code == 0
    assert re.search(r"files unknown +0\n", liq("maintain").stdout)
    kept = contents(filled)  # of sessions and commits upkeep folds the rows once they are some minutes old
    for table in before.keys() - {"session_frames", "ingest_commits"}:
        assert kept[table] == before[table]


def test_a_second_backup_copies_only_what_is_new_and_drops_what_is_gone(
    filled: Path, writer: Lake, rows: Maker, liquidations: Maker, target: Path
) -> None:
    first = backup(writer, target, quiet)
    assert (first.copied, first.kept, first.deleted, first.faults) == (len(files(target)), 0, 0, ())
    again = backup(writer, target, quiet)
    assert (again.copied, again.kept, again.deleted) == (0, first.copied, 0)
    fill(writer, rows, liquidations, first=20, commits=4)
    maintain(writer, AT_ONCE, AT_ONCE)
    last = backup(writer, target, quiet)
    assert last.deleted > 0
    assert 0 < last.copied < len(files(target))
    assert {path.name for path in files(target)} == {path.name for path in files(filled)}
    assert contents(target) == contents(filled)


def test_a_backup_beside_ingest_and_upkeep_is_the_lake_of_one_commit(
    filled: Path, target: Path, liquidations: Maker, commit: Maker
) -> None:
    stop = threading.Event()

    def write() -> None:
        with lake.open(filled, read_only=False) as other:
            turn = 100
            while not stop.is_set():
                rows = liquidations(3, first=10_000 * turn)
                append(other, {"liquidations": rows, "ingest_commits": commit(3 * turn)})
                maintain(other, AT_ONCE, AT_ONCE)
                turn += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        with lake.open(filled) as reader:
            for turn in range(3):
                done = backup(reader, target, quiet)
                assert done.faults == ()
                with lake.open(target) as copied:
                    assert verify(copied).faults == ()
                    stored = "SELECT count(*) FROM liquidations WHERE event_key >= 1_000_000"
                    committed = "SELECT max(offset_next) FROM ingest_commits"
                    asked = copied.connection.execute(f"SELECT ({stored}), greatest(({committed}), 297) - 297")
                    rows, offsets = asked.fetchone() or (0, 1)
                    assert rows == offsets, turn
    finally:
        stop.set()
        thread.join()


def test_a_damaged_file_is_named_and_the_backup_before_stays(
    filled: Path, writer: Lake, liquidations: Maker, target: Path, liq: Callable[..., Result]
) -> None:
    assert liq("backup", target).exit_code == 0
    before = contents(target)
    append(writer, {"liquidations": liquidations(3, first=10**6)})
    new = max(files(filled, "liquidations"), key=lambda path: path.stat().st_mtime_ns)
    whole = new.read_bytes()
    for harm in (whole[:100], whole[:100] + b"x" + whole[101:], None):
        new.unlink()
        if harm:
            new.write_bytes(harm)
        done = liq("backup", target)
        assert (done.exit_code, str(new) in done.stdout) == (1, True)
        assert f"1 files are damaged or missing: {target} was not changed" in done.stdout
        assert contents(target) == before
        new.write_bytes(whole)
    assert liq("backup", target).exit_code == 0
    assert contents(target) == contents(filled)


def test_no_folder_that_is_something_else_is_taken_for_a_backup(
    filled: Path, writer: Lake, made_once: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    schema.create_or_migrate(other)
    mine = tmp_path_factory.mktemp("mine")
    (mine / "lake").mkdir()
    (mine / "lake/letter.txt").write_text("dear")
    before = contents(other)
    for wrong in (other, mine):
        with pytest.raises(WarehouseError, match="is no backup of this warehouse, and is left alone"):
            backup(writer, wrong, quiet)
    for inside in (filled, filled / "lake/files/backup", filled.parent):
        with pytest.raises(WarehouseError, match="is inside the other"):
            backup(writer, inside, quiet)
    with lake.open(other, read_only=False) as theirs:
        backup(theirs, mine / "theirs", quiet)
    with pytest.raises(WarehouseError, match="is no backup of this warehouse"):
        backup(writer, mine / "theirs", quiet)
    assert contents(other) == before
    assert (mine / "lake/letter.txt").read_text() == "dear"


@pytest.mark.parametrize("harm", ["flipped", "gone", "no catalogue", "nothing"])
def test_from_a_damaged_backup_nothing_is_restored_and_what_is_wrong_is_named(
    filled: Path, target: Path, liq: Callable[..., Result], harm: str
) -> None:
    assert liq("backup", target).exit_code == 0
    before = contents(filled)
    flipping = flips(files(target), 1)
    file = files(target, "liquidations")[0]
    if harm == "flipped":
        file, _ = next(flipping)
    elif harm == "gone":
        file.unlink()
    elif harm == "no catalogue":
        (file := target / "lake/catalog.sqlite").unlink()
    else:
        shutil.rmtree(file := target)
    done = liq("restore", target, "--replace")
    assert done.exit_code == 1
    assert str(file) in done.stdout + done.stderr
    assert contents(filled) == before


def test_a_lake_that_is_there_is_left_alone_or_put_aside_whole(
    filled: Path, writer: Lake, liquidations: Maker, target: Path, liq: Callable[..., Result]
) -> None:
    assert liq("backup", target).exit_code == 0
    backed_up = contents(filled)
    append(writer, {"liquidations": liquidations(3, first=10**6)})
    writer.close()
    newer = contents(filled)
    done = liq("restore", target)
    assert (done.exit_code, "--replace moves" in done.stderr) == (1, True)
    lose_catalogue(filled)
    assert liq("restore", target).exit_code == 1  # files lie there still
    assert contents(target) == backed_up
    done = liq("restore", target, "--replace")
    assert done.exit_code == 0
    (aside,) = filled.glob("lake.before-*")
    assert str(aside) in done.stdout
    assert contents(filled) == backed_up
    assert len(files(aside.parent, "../../" + aside.name)) >= 0
    assert sum(1 for _ in aside.rglob("*.parquet")) > 0
    assert newer != backed_up


def test_while_ingest_runs_nothing_is_restored(filled: Path, target: Path, liq: Callable[..., Result]) -> None:
    from pipelines.ingest.alone import alone

    assert liq("backup", target).exit_code == 0
    with alone(filled):
        done = liq("restore", target, "--replace")
    assert (done.exit_code, "ingest runs in" in done.stderr) == (1, True)


def test_a_restore_that_was_stopped_goes_on(
    filled: Path, target: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with lake.open(filled) as reader:
        backup(reader, target, quiet)
    empty = tmp_path_factory.mktemp("empty")

    class StoppedError(Exception):
        pass

    def stop(done: int, of: int) -> None:
        if done > of // 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        from_backup(empty, target, stop)
    assert not lake.exists(empty)
    stray = empty / "lake.restoring/files/main/liquidations/of another.parquet"
    stray.write_bytes(b"left by the restore of another backup")
    from_backup(empty, target, quiet)
    assert contents(empty) == contents(filled)
    with lake.open(empty) as reader:
        assert verify(reader).faults == ()


def test_of_two_backups_into_one_folder_at_once_the_second_is_refused_and_changes_nothing(
    filled: Path, writer: Lake, target: Path
) -> None:
    refused: list[str] = []

    def second(*_: int) -> None:
        if not refused:
            with pytest.raises(WarehouseBusyError) as found:
                backup(writer, target, quiet)
            refused.append(str(found.value))

    assert backup(writer, target, second).faults == ()
    assert "backup.lock has been locked" in refused[0]
    assert contents(target) == contents(filled)
    assert backup(writer, target, quiet).copied == 0
