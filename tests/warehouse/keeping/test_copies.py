"""Copies of the catalogue beside the data: whole, few, made while others write, and never of a damaged one."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from warehouse import lake
from warehouse.errors import WriteFailedError
from warehouse.keeping.copies import KEPT, copies, copy, copy_beside
from warehouse.keeping.files import named, named_in
from warehouse.lake import Lake
from warehouse.settings import WarehouseSettings
from warehouse.writer import append

pytestmark = pytest.mark.local("copies of a SQLite catalogue")

Maker = Callable[..., pl.DataFrame]


def _age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_writer_copies_the_catalogue_when_the_newest_copy_is_old(world: Path, liquidations: Maker) -> None:
    def commit(key: int, every_s: float = 600) -> int:
        settings = WarehouseSettings(catalogue_copy_s=every_s)
        with lake.open(world, read_only=False, settings=settings) as writer:
            append(writer, {"liquidations": liquidations(1, first=key)})
        return len(copies(world / "lake"))

    folder = world / "lake/copies"
    _age(folder, 300)
    assert commit(1) == 0  # a lake this young has none yet
    _age(folder, 601)
    assert commit(2) == 1
    assert commit(3) == 1
    for turn in range(KEPT + 1):
        for made in copies(world / "lake"):
            _age(made, 601)
        assert commit(4 + turn) == min(2 + turn, KEPT)
    _age(copies(world / "lake")[0], 601)
    assert commit(20, every_s=0) == KEPT
    assert {path.suffix for path in folder.iterdir()} == {".sqlite"}


def test_copies_made_while_others_write_are_each_the_lake_of_one_commit(world: Path, liquidations: Maker) -> None:
    stop = threading.Event()

    def write() -> None:
        with lake.open(world, read_only=False) as writer:
            key = 0
            while not stop.is_set():
                append(writer, {"liquidations": liquidations(2, first=key)})
                key += 2

    thread = threading.Thread(target=write)
    thread.start()
    try:
        with lake.open(world) as reader:
            while reader.connection.execute("SELECT count(*) FROM liquidations").fetchone() == (0,):
                time.sleep(0.01)
        made = [copy_beside(world / "lake/catalog.sqlite") for _ in range(3)]
    finally:
        stop.set()
        thread.join()
    counts = []
    for each in reversed(made):
        (world / "lake/catalog.sqlite").unlink()
        for rest in (world / "lake").glob("catalog.sqlite-*"):
            rest.unlink()
        os.link(each, world / "lake/catalog.sqlite")
        with lake.open(world) as reader:
            counts += reader.connection.execute("SELECT count(*) FROM liquidations").fetchone() or ()
    assert counts == sorted(counts, reverse=True)
    assert all(count % 2 == 0 and count > 0 for count in counts)


def test_a_damaged_catalogue_is_not_copied_over_a_whole_copy(world: Path, writer: Lake, tmp_path: Path) -> None:
    writer.close()
    target = tmp_path / "copy.sqlite"
    copy(world / "lake/catalog.sqlite", target)
    whole = target.read_bytes()
    with (world / "lake/catalog.sqlite").open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 40_000)
    with pytest.raises(
        WriteFailedError, match=r"cannot be copied to .*copy.sqlite: .*(damaged|malformed|not a database)"
    ):
        copy(world / "lake/catalog.sqlite", target)
    assert target.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("copy")] == ["copy.sqlite"]


def test_what_is_no_catalogue_is_not_copied(tmp_path: Path) -> None:
    for name, content in (("gone", None), ("empty", b""), ("other", b"something else")):
        source = tmp_path / name
        if content is not None:
            source.write_bytes(content)
        with pytest.raises(WriteFailedError, match=f"{source} cannot be copied"):
            copy(source, tmp_path / "copy.sqlite")
        assert source.exists() == (content is not None)
        assert not (tmp_path / "copy.sqlite").exists()


def test_a_copy_names_the_files_of_the_lake(world: Path, writer: Lake, liquidations: Maker, tmp_path: Path) -> None:
    append(writer, {"liquidations": liquidations(3)})
    with writer.transaction() as connection:
        connection.execute("DELETE FROM liquidations WHERE event_key = 1")
    made = copy_beside(world / "lake/catalog.sqlite")
    lie = {str(path.relative_to(world / "lake/files")) for path in (world / "lake/files").rglob("*.parquet")}
    assert {each.path for each in named_in(made)} == lie
    assert any(path.endswith("-delete.parquet") for path in lie)
    with closing(sqlite3.connect(made)) as opened:
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert set(named_in(made)) == set(named(writer.connection))
