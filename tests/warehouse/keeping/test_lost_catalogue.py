"""Where the catalogue is lost nothing is made in its place, and nothing that it may have named is deleted."""

import hashlib
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from liq import app
from pipelines.ingest.store import Store
from pipelines.settings import IngestSettings
from warehouse import lake, schema
from warehouse.errors import LostCatalogueError
from warehouse.keeping.copies import copies
from warehouse.keeping.unknown import delete_unknown, unknown
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.query import query, reading_world
from warehouse.tables import TABLES
from warehouse.writer import append

pytestmark = pytest.mark.local("files in a folder whose catalogue is lost")

Maker = Callable[..., pl.DataFrame]
AT_ONCE = timedelta(0)
TEN_HOURS_AGO = datetime.now().timestamp() - 36_000  # noqa: DTZ005
ODD = ("liq[1]", "liq*", "liq?", "a b", "it's", 'a "b"', "größe-漢字", "100%", "a#b", "year=2026", "{a}", "a;b", "..x")


def _files(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*.parquet"))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.fixture
def lost(world: Path, writer: Lake, liquidations: Maker) -> Path:
    """A world whose catalogue is gone, its files ten hours old."""
    append(writer, {"liquidations": liquidations(5)})
    writer.close()
    for file in (world / "lake").glob("catalog.sqlite*"):
        file.unlink()
    for file in (world / "lake/files").rglob("*.parquet"):
        os.utime(file, (TEN_HOURS_AGO, TEN_HOURS_AGO))
    return world


def test_ingest_makes_no_new_catalogue_where_files_lie_without_theirs(lost: Path) -> None:
    before = _files(lost)
    for _ in range(2):
        with pytest.raises(LostCatalogueError, match=r"catalog.sqlite is gone, but \d+ Parquet files lie in .*restore"):
            Store(IngestSettings(data=lost)).open("a cluster")
    assert not (lost / "lake/catalog.sqlite").exists()
    assert _files(lost) == before


def test_every_command_says_in_one_line_what_is_lost_and_how_to_bring_it_back(
    lost: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQ_DATA", str(lost))
    before = _files(lost)
    for words in (["sql", "FROM liquidations"], ["maintain"], ["audit"], ["rollup"], ["maintain", "--delete-unknown"]):
        done = CliRunner().invoke(app, words, prog_name="liq")
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
        assert "`liq restore --from-files` or `liq restore BACKUP`; nothing was changed" in done.stderr
    assert _files(lost) == before


def test_an_empty_file_is_no_catalogue(lost: Path) -> None:
    (lost / "lake/catalog.sqlite").touch()
    with pytest.raises(LostCatalogueError):
        schema.create_or_migrate(lost)
    assert (lost / "lake/catalog.sqlite").stat().st_size == 0


def test_a_copy_of_the_catalogue_is_named_where_there_is_one(world: Path, liquidations: Maker) -> None:
    with lake.open(world, read_only=False) as writer:
        append(writer, {"liquidations": liquidations(5)})
        maintain(writer)
    assert len(copies(world / "lake")) == 1
    (world / "lake/catalog.sqlite").unlink()
    with pytest.raises(LostCatalogueError, match=r"`liq restore --from-copy` \(copied 20\d\d-.* UTC\)"):
        lake.open(world)


def test_an_empty_database_beside_files_is_no_catalogue_either(
    world: Path, writer: Lake, liquidations: Maker, on_postgres: None
) -> None:
    append(writer, {"liquidations": liquidations(5)})
    for attempt in (schema.create_or_migrate, lake.open):
        with pytest.raises(LostCatalogueError, match="the database of LIQ_CATALOGUE has no catalogue, but"):
            attempt(world)


def test_a_bucket_with_files_is_not_taken_by_a_new_catalogue(
    tmp_path: Path, on_s3: None, liquidations: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema.create_or_migrate(tmp_path / "first")
    monkeypatch.delenv("LIQ_CATALOGUE")
    with pytest.raises(LostCatalogueError, match="Parquet files lie in s3://"):
        schema.create_or_migrate(tmp_path / "second")


def test_the_live_world_is_meant_though_its_catalogue_is_lost(
    lost: Path, made_once: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path_factory.mktemp("here")
    (here / "data").mkdir()
    (here / "data/live").symlink_to(lost)
    (here / "data/demo").symlink_to(made_once)
    monkeypatch.chdir(here)
    assert reading_world()[0] == here / "data/live"


@pytest.mark.parametrize("name", ODD)
def test_a_world_of_any_name_is_kept_tidy_and_no_other_is_touched(
    tmp_path: Path, liquidations: Maker, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [tmp_path / other for other in ("liq1", "liqx", "liq", "a", "b", "x")]
    for other in others:
        file = other / "lake/files/main/liquidations/theirs.parquet"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"of another world")
        os.utime(file, (0, 0))
    world = tmp_path / name
    schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as writer:
        for turn in range(3):
            append(writer, {"liquidations": liquidations(4, first=10 * turn)})
        done = maintain(writer, AT_ONCE, AT_ONCE, {"liquidations": TABLES["liquidations"]})
        assert (done.files_joined, done.files_deleted, done.files_unknown) == (3, 3, 0)
        assert delete_unknown(writer, unknown(writer), AT_ONCE) == []
    assert query("SELECT count(*) FROM liquidations", world).item() == 12
    monkeypatch.setenv("LIQ_DATA", str(world))
    assert CliRunner().invoke(app, ["maintain"], prog_name="liq").exit_code == 0
    assert all((other / "lake/files/main/liquidations/theirs.parquet").exists() for other in others)
