"""A world's folder may have any name: what a name means as a pattern reaches no other world, in no command."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import Result

from tests.warehouse.keeping.destroyed import contents, files, fill, lose_catalogue
from tests.warehouse.made import copied
from warehouse import lake, schema
from warehouse.errors import QueryError, WarehouseError
from warehouse.lake import Lake
from warehouse.query import query, run

pytestmark = pytest.mark.local("names of the world's folder, where its files are")

Maker = Callable[..., pl.DataFrame]
NAMES = ('l?q[1]{a,b}** it\'s "ü" %41#;', "it's %41\\#;")
TAKEN_FOR = {
    "?": "i",
    "[1]": "1",
    "{a,b}": "a",
    "**": "x",
    "%41": "A",
    "\\#": "#",
    ";": "",
    "'": "",
    '"ü"': "ü",
    " ": "",
}
"""What parts of the names mean to a shell, to SQL, in a pattern or in an address, and what each could be taken for."""


@pytest.fixture(params=NAMES)
def named(request: pytest.FixtureRequest, filled: Path, writer: Lake, tmp_path: Path) -> tuple[Path, list[Path]]:
    """A filled world of such a name, and its twins: the very same files under a name it could be taken for."""
    writer.close()
    worlds = tmp_path / "worlds"
    name = request.param
    twins = [name.replace(part, other) for part, other in TAKEN_FOR.items() if part in name]
    for each in (name, *twins):
        copied(filled, worlds / each)
    return worlds / name, [worlds / twin for twin in twins]


def _bytes(worlds: list[Path]) -> dict[str, str]:
    found = (path for world in worlds for path in world.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_a_world_of_any_name_is_kept_and_no_other_is_touched(
    named: tuple[Path, list[Path]], liq: Callable[..., Result], rows: Maker, liquidations: Maker
) -> None:
    world, twins = named
    before, there, backup = _bytes(twins), contents(world), world.parent / f"backup of {world.name}"

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
    assert _bytes(twins) == before


def test_a_file_that_is_gone_is_not_read_from_another_world(
    named: tuple[Path, list[Path]], liq: Callable[..., Result]
) -> None:
    world, _ = named
    for file in files(world, "liquidations"):
        file.unlink()
    with pytest.raises(QueryError, match="damaged or missing"):
        query("SELECT sum(notional_usd) FROM liquidations", world)
    assert liq("verify", world=world).exit_code == 1


def test_sql_of_a_reader_lists_and_reads_no_other_world(named: tuple[Path, list[Path]]) -> None:
    world, twins = named
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
            assert not any(str(name).startswith(f"{twin}/") for name in found for twin in twins), sql


def test_a_name_that_duckdb_cannot_be_given_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    world = tmp_path / "a\\b[1]"
    with pytest.raises(WarehouseError, match="choose another folder"):
        schema.create_or_migrate(world)
    assert not world.exists()
