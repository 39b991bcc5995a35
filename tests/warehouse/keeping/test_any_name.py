"""A world's folder may have any name: what a name means as a pattern reaches no other world, in no command."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import Result

from tests.warehouse.keeping.destroyed import contents, files, fill, lose_catalogue
from warehouse import lake
from warehouse.errors import QueryError
from warehouse.lake import Lake
from warehouse.query import query, run

Maker = Callable[..., pl.DataFrame]
TWINS = {"liq[1]": "liq1", "**": "liq", "l?q": "liq", "{a,b} c": "a", 'it\'s "ü" %41\\#;': "it"}
"""Names, and that of another world which each one could be taken for."""


@pytest.fixture(params=TWINS)
def named(request: pytest.FixtureRequest, filled: Path, writer: Lake, tmp_path: Path) -> tuple[Path, Path]:
    """A filled world of such a name, and its twin: the very same files under the other name."""
    writer.close()
    worlds = tmp_path / "worlds"
    for name in (request.param, TWINS[request.param]):
        shutil.copytree(filled / "lake", worlds / name / "lake")
    return worlds / request.param, worlds / TWINS[request.param]


def _bytes(world: Path) -> dict[str, str]:
    found = (path for path in world.rglob("*") if path.is_file())
    return {str(path.relative_to(world)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_a_world_of_any_name_is_kept_and_no_other_is_touched(
    named: tuple[Path, Path], liq: Callable[..., Result], rows: Maker, liquidations: Maker
) -> None:
    world, twin = named
    before, there, backup = _bytes(twin), contents(world), world.parent / f"backup of {world.name}"

    def done(*words: object, at: Path = world) -> str:
        result = liq(*words, world=at)
        assert (result.exit_code, result.stderr) == (0, ""), words
        return result.stdout

    assert "whole" in done("verify")
    done("backup", backup)
    done("verify", at=backup)
    shutil.rmtree(world / "lake")
    done("restore", backup)
    assert contents(world) == there
    for way in (("--from-files",), ("--from-files", "--without-manifest")):
        lose_catalogue(world)
        done("restore", *way)
        assert set(contents(world)["liquidations"]) >= set(there["liquidations"]), (
            way
        )  # some that were deleted come back
    with lake.open(world, read_only=False) as writer:
        fill(writer, rows, liquidations, first=20, commits=4)
    done("maintain", "--keep-snapshots-h", "0", "--keep-files-h", "0")
    lose_catalogue(world)
    done("restore", "--from-copy")
    done("maintain", "--keep-snapshots-h", "0", "--keep-files-h", "0")
    assert _bytes(twin) == before


def test_a_file_that_is_gone_is_not_read_from_another_world(
    named: tuple[Path, Path], liq: Callable[..., Result]
) -> None:
    world, _ = named
    for file in files(world, "liquidations"):
        file.unlink()
    with pytest.raises(QueryError, match="damaged or missing"):
        query("SELECT sum(notional_usd) FROM liquidations", world)
    assert liq("verify", world=world).exit_code == 1


def test_sql_of_a_reader_lists_and_reads_no_other_world(named: tuple[Path, Path]) -> None:
    world, twin = named
    with lake.open(world) as reader:
        where = f"{reader.place.files}**/*.parquet".replace("'", "''")
        for sql in (
            f"SELECT file FROM glob('{where}')",
            f"SELECT filename FROM read_parquet('{where}', filename => true)",
        ):
            try:
                found = {row[0] for row in run(reader, sql).frame().rows()}
            except QueryError:
                continue
            assert not any(str(name).startswith(f"{twin}/") for name in found), sql
