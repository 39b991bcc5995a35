"""What a world holds is for whom its folder lets in, at first its owner alone."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.warehouse.keeping.destroyed import contents
from warehouse import lake, schema
from warehouse.keeping.backup import backup
from warehouse.writer import append

pytestmark = pytest.mark.local("who may read a folder")

Maker = Callable[..., pl.DataFrame]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def backed_up(world: Path, liquidations: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("backups") / "backup"
    with lake.open(world, read_only=False) as writer:
        append(writer, {"liquidations": liquidations(3)})
        backup(writer, target, lambda done, of: None)
    return target


def _liq(world: Path, *words: object) -> None:
    command = [sys.executable, "-m", "liq", *map(str, words)]
    environment = os.environ | {"LIQ_DATA": str(world), "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, check=True, umask=0o022, capture_output=True)


def _modes(folder: Path, but: tuple[str, ...] = ()) -> set[int]:
    found = [folder, *(path for path in folder.rglob("*") if path.name not in but)]
    return {stat.S_IMODE(path.stat().st_mode) for path in found}


def test_a_new_world_is_for_its_owner_alone(backed_up: Path, tmp_path: Path) -> None:
    world = tmp_path / "new" / "world"
    _liq(world, "restore", backed_up)
    _liq(world, "maintain")
    assert _modes(world) == {0o700, 0o600}
    again = tmp_path / "backup"
    _liq(world, "backup", again)
    assert _modes(again) == {0o700, 0o600}


@pytest.mark.parametrize("shared", [0o750, 0o755])
def test_a_world_that_is_shared_stays_shared(backed_up: Path, tmp_path: Path, shared: int) -> None:
    world = tmp_path / "shared"
    world.mkdir()
    world.chmod(shared)
    _liq(world, "restore", backed_up)
    _liq(world, "maintain")
    file = shared & ~0o111
    assert _modes(world / "lake") <= {shared, file, 0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (world / "lake").rglob("*.sqlite")} == {file}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (world / "lake").rglob("*.parquet")} == {file}


def test_a_lakes_folder_is_made_for_its_owner_alone_by_whoever_makes_it(tmp_path: Path) -> None:
    schema.create_or_migrate(tmp_path / "world")
    assert stat.S_IMODE((tmp_path / "world/lake").stat().st_mode) == 0o700


def test_what_a_user_asks_for_goes_by_his_own_umask(backed_up: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    _liq(backed_up, "sql", "FROM liquidations", "--format", "csv", "--output", out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o644
    assert len(contents(backed_up)["liquidations"]) == 3
