"""With the catalogue lost the lake comes back from what lies beside the data: the rows of the last commit, none twice."""

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import Result

from tests.warehouse.conftest import NOON
from tests.warehouse.keeping.destroyed import contents, files, fill, flips, lose_catalogue, quiet
from tests.warehouse.test_model import KNOWN, Model
from tests.warehouse.test_reader import _files_read
from warehouse import lake, schema
from warehouse.keeping.copies import copies
from warehouse.keeping.files import named
from warehouse.keeping.rebuild import from_files
from warehouse.keeping.verify import verify
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.tables import TABLES
from warehouse.writer import append, offsets

pytestmark = pytest.mark.local("a catalogue made again from files in a folder")

Maker = Callable[..., pl.DataFrame]
AT_ONCE = timedelta(0)


def test_from_the_files_alone_every_row_comes_back_and_none_twice(
    filled: Path, writer: Lake, liq: Callable[..., Result], liquidations: Maker
) -> None:
    writer.close()
    before = contents(filled)
    replaced = len(files(filled))
    lose_catalogue(filled)
    done = liq("restore", "--from-files")
    assert (done.exit_code, done.stderr) == (0, "")
    assert contents(filled) == before
    with lake.open(filled, read_only=False) as again:
        assert offsets(again, "c1") == {("raw.liquidation", 0): 18}
        live = len(again.manifest.state(again.connection).entries)
        assert live < replaced  # some were there that joined files had replaced
        append(again, {"liquidations": liquidations(3, first=10**6)})
        for _ in range(2):
            maintain(again, AT_ONCE, AT_ONCE)
        assert again.connection.execute("SELECT count(*) FROM liquidations").fetchone() == (
            len(before["liquidations"]) + 3,
        )
        day = "ts_event >= TIMESTAMP '2026-10-06' AND ts_event < TIMESTAMP '2026-10-07'"
        assert max(_files_read(again, f"SELECT sum(notional_usd) FROM liquidations WHERE {day}")) == 1
        assert schema.create_or_migrate(filled) == []


@pytest.mark.parametrize("seed", range(3))
def test_after_any_sequence_of_steps_the_files_give_what_the_model_holds(tmp_path: Path, seed: int) -> None:
    model = Model(tmp_path, seed)
    steps = [*[model.append] * 3, *[model.replace] * 3, model.take_in, model.rewrite, model.roll_back, model.maintain]
    for number in range(1, 25):
        model.random.choice(steps)()
        if number % 8 == 0:
            model.lake.close()
            lose_catalogue(tmp_path)
            done = from_files(tmp_path, quiet, known=KNOWN)
            assert done.faults == ()
            model.lake = model.opened()
            model.check_with_reader()
    model.lake.close()


def test_a_column_that_was_added_later_is_null_in_the_files_before(tmp_path: Path) -> None:
    plain = KNOWN["plain"]
    older = plain._replace(columns=tuple(column for column in plain.columns if column.name != "k"))
    schema.create_or_migrate(tmp_path, [older], [])
    frame = pl.DataFrame({"t": [None], "v": [1.5], "s": ["a"]}, schema=older.schema)
    with lake.open(tmp_path, read_only=False) as writer:
        append(writer, {"plain": frame}, {"plain": older})
    schema.create_or_migrate(tmp_path, [plain], [])
    newer = frame.with_columns(k=pl.lit(7, pl.UInt64)).select(plain.schema.names())
    with lake.open(tmp_path, read_only=False) as writer:
        append(writer, {"plain": newer}, {"plain": plain})
    lose_catalogue(tmp_path)
    from_files(tmp_path, quiet, known={"plain": plain})
    with lake.open(tmp_path) as reader:
        assert sorted(reader.connection.execute("FROM plain").fetchall(), key=repr) == [
            (None, 7, 1.5, "a"),
            (None, None, 1.5, "a"),
        ]


def test_files_of_a_commit_that_the_manifest_has_not_are_left_out_and_counted(
    filled: Path, writer: Lake, liquidations: Maker, liq: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(filled)
    with monkeypatch.context() as patched:
        patched.setattr(Lake, "_follow", lambda opened: None)  # killed between the commit and its line
        append(writer, {"liquidations": liquidations(3, first=10**6)})
    writer.close()
    lose_catalogue(filled)
    done = liq("restore", "--from-files")
    assert done.exit_code == 0
    assert "files do not belong to it: `liq maintain --list-unknown` lists them" in done.stdout
    assert contents(filled) == before


@pytest.mark.parametrize("harm", ["gone", "cut"])
def test_with_a_file_missing_nothing_is_made_and_it_is_named(
    filled: Path, writer: Lake, liq: Callable[..., Result], harm: str
) -> None:
    live = writer.manifest.state(writer.connection).entries
    writer.close()
    lose_catalogue(filled)
    file = next(filled / "lake/files" / path for path in live if "liquidations" in path)
    whole = file.read_bytes()
    file.unlink()
    if harm == "cut":
        file.write_bytes(whole[:-1])
    done = liq("restore", "--from-files")
    assert done.exit_code == 1
    assert f"{file}: {'missing' if harm == 'gone' else 'has '}" in done.stdout
    assert "1 files are damaged or missing: nothing was changed" in done.stdout
    assert not lake.exists(filled)
    file.write_bytes(whole)
    assert liq("restore", "--from-files").exit_code == 0


def test_a_catalogue_that_is_there_is_left_alone_or_put_aside(
    filled: Path, writer: Lake, liq: Callable[..., Result]
) -> None:
    writer.close()
    before = contents(filled)
    for words in (["--from-files"], ["--from-copy"]):
        done = liq("restore", *words)
        assert (done.exit_code, "--replace moves" in done.stderr) == (1, True)
    with (filled / "lake/catalog.sqlite").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 30_000)
    damaged = (filled / "lake/catalog.sqlite").read_bytes()
    done = liq("restore", "--from-files", "--replace")
    assert done.exit_code == 0
    (aside,) = (filled / "lake").glob("catalog.before-*.sqlite")
    assert aside.read_bytes() == damaged
    assert contents(filled) == before


def test_from_a_copy_the_lake_is_as_it_was_then_and_goes_on(
    filled: Path, writer: Lake, rows: Maker, liquidations: Maker, liq: Callable[..., Result]
) -> None:
    maintain(writer, AT_ONCE, AT_ONCE)
    before, (copied, *_) = contents(filled), copies(filled / "lake")
    append(writer, {"liquidations": liquidations(3, first=10**6)})
    writer.close()
    lose_catalogue(filled)
    done = liq("restore", "--from-copy")
    assert (done.exit_code, done.stderr) == (0, "")
    assert contents(filled) == before
    assert copied.exists()
    with lake.open(filled, read_only=False) as again:
        assert verify(again).faults == ()
        assert verify(again).unknown > 0  # the files that came later: Kafka has what is in them
        fill(again, rows, liquidations, first=10)
        assert verify(again).faults == ()


def test_a_copy_that_names_files_that_are_gone_is_passed_over(
    filled: Path, writer: Lake, liq: Callable[..., Result], liquidations: Maker
) -> None:
    maintain(writer, AT_ONCE, AT_ONCE)
    before = contents(filled)
    whole, *older = copies(filled / "lake")
    for copied in older:
        copied.unlink()
    newer = whole.with_name("catalog-29991231T235959.000000Z.sqlite")
    append(writer, {"liquidations": liquidations(3, first=10**6)})
    writer.close()
    shutil.copy(
        filled / "lake/catalog.sqlite", newer
    )  # of SQLite's WAL mode; all is in the file once the writer is closed
    max(files(filled, "liquidations"), key=lambda path: path.stat().st_mtime_ns).unlink()
    lose_catalogue(filled)
    assert liq("restore", "--from-copy").exit_code == 0
    assert contents(filled) == before
    lose_catalogue(filled)
    os.remove(whole)
    done = liq("restore", "--from-copy")
    assert (done.exit_code, "names 1 files that are gone, such as main/liquidations" in done.stderr) == (1, True)


def test_after_a_restore_flipped_bits_are_found_as_before(filled: Path, writer: Lake) -> None:
    maintain(writer, AT_ONCE, AT_ONCE)
    writer.close()
    lose_catalogue(filled)
    from_files(filled, quiet)
    with lake.open(filled) as reader:
        assert verify(reader).faults == ()
        live = [filled / "lake/files" / each.path for each in named(reader.connection)]
        for file, _ in flips(live, 10):
            assert any(fault.startswith(f"{file}: ") for fault in verify(reader).faults)


def test_what_is_asked_of_restore_is_one_thing(liq: Callable[..., Result], tmp_path: Path) -> None:
    for words in ([], ["--from-copy", "--from-files"], [str(tmp_path), "--from-copy"]):
        done = liq("restore", *words)
        assert (done.exit_code, "give one of SOURCE, --from-copy, --from-files" in done.stderr) == (2, True)


def test_every_table_can_be_made_again_from_its_files(filled: Path, writer: Lake, rows: Maker) -> None:
    known = set(TABLES)
    values = {"VARCHAR": "x", "TIMESTAMP": NOON, "TIMESTAMP[]": [NOON], "BOOLEAN": True, "BLOB": b"x"}
    for name in sorted(known - {"liquidations"}):
        filler = {
            column.name: values.get(column.type, [1] if column.type.endswith("[]") else 1)
            for column in TABLES[name].columns
        }
        frame = pl.DataFrame([filler], schema=TABLES[name].schema)
        append(writer, {name: frame})
    counted = {name: writer.connection.execute(f"FROM {name}").fetchall() for name in sorted(known)}
    writer.close()
    lose_catalogue(filled)
    from_files(filled, quiet)
    with lake.open(filled) as reader:
        for name, rows_before in counted.items():
            found = reader.connection.execute(f"FROM {name}").fetchall()
            if name != "schema_history":
                assert sorted(found, key=repr) == sorted(rows_before, key=repr), name


def test_a_lake_is_made_without_damaged_files_where_that_is_asked_for(
    filled: Path, writer: Lake, liq: Callable[..., Result]
) -> None:
    maintain(writer, AT_ONCE, AT_ONCE)
    live = [each for each in writer.manifest.state(writer.connection).entries.values() if not each.deletes_from]
    rows = {each.path: each.rows for each in live}
    writer.close()
    lose_catalogue(filled)
    gone, flipped = [filled / "lake/files" / path for path in rows if "raw_frames" in path or "ingest_commits" in path][
        :2
    ]
    gone.unlink()
    flipped.write_bytes(flipped.read_bytes()[:50] + b"x" + flipped.read_bytes()[51:])
    assert liq("restore", "--from-files").exit_code == 1
    done = liq("restore", "--from-files", "--without-damaged")
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"left out: {gone}: missing" in done.stdout
    assert f"left out: {flipped}: changed" in done.stdout
    with lake.open(filled) as reader:
        for name in ("liquidations", "session_frames"):
            assert reader.connection.execute(f"FROM {name}").fetchall()


def test_a_backup_its_restore_and_verify_count_the_same_files(
    filled: Path, tmp_path_factory: pytest.TempPathFactory, writer: Lake, liq: Callable[..., Result]
) -> None:
    maintain(writer, timedelta(days=7), timedelta(days=7))  # what joined files replaced is of older snapshots
    writer.close()
    there = tmp_path_factory.mktemp("elsewhere")
    number = liq("backup", there / "kept", world=filled).stdout.partition(" files copied")[0]
    restored = liq("restore", there / "kept", world=there / "again").stdout
    assert number.isdigit()
    assert liq("verify", world=filled).stdout.startswith(f"{number} files, ")
    assert f": {number} files of every snapshot that it has" in restored
