"""What tests of keeping a lake share: one that is filled, a folder for its backup, and the command."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from liq import app
from tests.warehouse.keeping.destroyed import fill
from warehouse.lake import Lake


@pytest.fixture
def filled(
    world: Path, writer: Lake, rows: Callable[..., pl.DataFrame], liquidations: Callable[..., pl.DataFrame]
) -> Path:
    """The world with two days of rows, some of them deleted."""
    fill(writer, rows, liquidations)
    return world


@pytest.fixture
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for a backup that is not there yet, of a name that needs quoting."""
    return tmp_path_factory.mktemp("backups") / "it's [a] *backup*"


@pytest.fixture
def liq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command on the fixture's world, or another."""

    def run(*words: object, world: Path = tmp_path) -> Result:
        monkeypatch.setenv("LIQ_DATA", str(world))
        return CliRunner().invoke(app, list(map(str, words)), prog_name="liq")

    return run
