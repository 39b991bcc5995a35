"""The manifest says after every commit which files are the lake, as the catalogue does."""

import hashlib
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from tests.warehouse.test_model import KNOWN, Model
from warehouse import lake
from warehouse.keeping.files import named
from warehouse.keeping.manifest import NOTHING, State, read
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.writer import append

pytestmark = pytest.mark.local("the manifest, which only files in a folder have")

Maker = Callable[..., pl.DataFrame]


def _manifest(world: Path) -> Path:
    (found,) = (world / "lake/files").glob("manifest-*.jsonl")
    return found


def _agrees(opened: Lake) -> State:
    """See that the manifest is what the catalogue is, and every checksum what the file is; return it."""
    state = read(_manifest(opened.world))
    live = [each for each in named(opened.connection) if each.end is None]
    assert {(e.path, e.table, e.deletes_from, e.rows, e.size) for e in state.entries.values()} == {
        (each.path, each.table, each.deletes_from, each.rows, each.size) for each in live
    }
    for entry in state.entries.values():
        content = (opened.world / "lake/files" / entry.path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry.size, entry.sha256)
    return state


@pytest.mark.parametrize("seed", range(2))
def test_after_any_sequence_of_steps_the_manifest_says_what_the_catalogue_says(tmp_path: Path, seed: int) -> None:
    model = Model(tmp_path, seed)
    steps = [model.append, model.replace, model.take_in, model.rewrite, model.roll_back, model.maintain, model.reopen]
    for _ in range(20):
        model.random.choice(steps)()
        _agrees(model.lake)
    assert set(KNOWN) >= {entry.table for entry in read(_manifest(tmp_path)).entries.values()} - {"schema_history"}
    model.lake.close()


def test_lines_of_a_commit_that_did_not_end_do_not_count(world: Path, writer: Lake, liquidations: Maker) -> None:
    append(writer, {"liquidations": liquidations(3)})
    before = _agrees(writer)
    torn = '{"file": "main/liquidations/x.parquet", "table": "liquidations", "rows": 1, "bytes": 1}\n{"gone": "mai'
    with _manifest(world).open("a") as file:
        file.write(torn)
    assert read(_manifest(world)) == before
    append(writer, {"liquidations": liquidations(3, first=10)})
    _agrees(writer)


def test_a_manifest_that_missed_commits_catches_up_with_the_next(
    world: Path, writer: Lake, liquidations: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(writer, {"liquidations": liquidations(3)})
    with monkeypatch.context() as patched:
        patched.setattr(Lake, "_follow", lambda opened: None)  # killed between the commit and the line
        append(writer, {"liquidations": liquidations(3, first=10)})
        with writer.transaction() as connection:
            connection.execute("DELETE FROM liquidations WHERE event_key = 1 OR event_key > 11")
    append(writer, {"liquidations": liquidations(3, first=20)})
    _agrees(writer)


def test_rows_taken_out_of_one_file_by_and_by_stay_out(world: Path, writer: Lake, liquidations: Maker) -> None:
    append(writer, {"liquidations": liquidations(9)})
    for part in ("event_key = 1", "event_key = 2", "event_key > 6", "true"):
        with writer.transaction() as connection:
            connection.execute(f"DELETE FROM liquidations WHERE {part}")
        _agrees(writer)


@pytest.mark.parametrize("few", [0, 10**9])
def test_a_manifest_that_is_gone_is_made_again_and_upkeep_fills_in_the_checksums(
    world: Path, writer: Lake, liquidations: Maker, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("warehouse.keeping.manifest.FEW_BYTES", few)
    append(writer, {"liquidations": liquidations(3)})
    _manifest(world).unlink()
    append(writer, {"liquidations": liquidations(3, first=10)})
    state = read(_manifest(world))
    assert len(state.entries) == len([each for each in named(writer.connection) if each.end is None])
    assert {bool(entry.sha256) for entry in state.entries.values()} == {few > 0}
    maintain(writer)
    _agrees(writer)


def test_two_writers_keep_one_manifest(world: Path, writer: Lake, liquidations: Maker) -> None:
    seeded = random.Random(5)
    with lake.open(world, read_only=False) as other:
        for turn in range(12):
            append(seeded.choice([writer, other]), {"liquidations": liquidations(2, first=10 * turn)})
        _agrees(writer)


def test_a_manifest_stays_small_however_many_commits_there_were(
    world: Path, writer: Lake, liquidations: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.keeping.record.SLACK", 0)
    for turn in range(12):
        append(writer, {"liquidations": liquidations(2, first=10 * turn)})
        maintain(writer)
    assert _manifest(world).stat().st_size < 12_000
    _agrees(writer)


def test_a_commit_is_stored_though_the_manifest_cannot_be_written(
    world: Path, writer: Lake, liquidations: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    append(writer, {"liquidations": liquidations(3)})
    manifest = _manifest(world)
    manifest.unlink()
    manifest.mkdir()
    append(writer, {"liquidations": liquidations(3, first=10)})
    assert writer.connection.execute("SELECT count(*) FROM liquidations").fetchone() == (6,)
    assert "is not up to date" in caplog.text


def test_a_manifest_of_nothing_is_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == NOTHING
    (tmp_path / "torn").write_bytes(b'\xff\xfe{"snapshot": ')
    assert read(tmp_path / "torn") == NOTHING


def test_the_catalogue_is_never_opened_by_a_second_sqlite_in_a_writers_process(world: Path, writer: Lake) -> None:
    # it would drop DuckDB's locks: https://www.sqlite.org/howtocorrupt.html
    with closing(sqlite3.connect(":memory:")):
        pass
    source = "".join(path.read_text() for path in (Path(lake.__file__).parent).rglob("*.py"))
    assert (
        source.count("sqlite3.connect(") - source.count("immutable=1") == 2
    )  # both in the code of the copying process
