"""Prefect's database is made by its server once, and copied into the next world."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.up import prefect_database


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(prefect_database.ELSEWHERE, raising=False)
    return tmp_path / "cache"


def home(folder: Path, value: str = "") -> Path:
    folder.mkdir()
    if value:
        with closing(sqlite3.connect(folder / prefect_database.NAME)) as made, made:
            made.execute("CREATE TABLE migrated AS SELECT ? AS value", [value])
    return folder


def read(folder: Path) -> str:
    with closing(sqlite3.connect(folder / prefect_database.NAME)) as opened:
        return str(opened.execute("SELECT value FROM migrated").fetchone()[0])


def test_the_next_world_begins_with_a_copy_of_what_the_first_made(tmp_path: Path, cache: Path) -> None:
    first, second = home(tmp_path / "first", "made"), home(tmp_path / "second")
    prefect_database.put(second)
    assert not (second / prefect_database.NAME).exists()
    prefect_database.keep(first)
    prefect_database.put(second)
    assert read(second) == "made"
    assert [path.suffix for path in cache.rglob("*.db*")] == [".db"]


def test_a_database_that_is_there_stays_and_what_is_kept_is_not_replaced(tmp_path: Path, cache: Path) -> None:
    first, second, third = home(tmp_path / "1", "first"), home(tmp_path / "2", "second"), home(tmp_path / "3")
    prefect_database.keep(first)
    prefect_database.keep(second)
    prefect_database.put(second)
    prefect_database.put(third)
    assert (read(second), read(third)) == ("second", "first")


def test_a_database_elsewhere_is_no_matter_of_ours(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefect_database.keep(home(tmp_path / "first", "made"))
    monkeypatch.setenv(prefect_database.ELSEWHERE, "postgresql+asyncpg://somewhere/prefect")
    second = home(tmp_path / "second")
    prefect_database.put(second)
    assert not (second / prefect_database.NAME).exists()


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    first = home(tmp_path / "first", "made")
    prefect_database.keep(first)
    prefect_database.put(home(tmp_path / "second"))
    assert read(first) == "made"
