"""Worlds for the tests of the pipelines; the lake is always the real one."""

from pathlib import Path

import pytest

from pipelines.reading import blocks
from pipelines.venues.bybit import latest as bybit_latest
from tests.warehouse.conftest import postgres_server as postgres_server
from tests.warehouse.made import copied
from tests.warehouse.servers import Postgres
from warehouse import schema
from warehouse.settings import WarehouseSettings


@pytest.fixture(scope="session")
def empty_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world with an empty warehouse, made once: copy it, do not write to it."""
    world = tmp_path_factory.mktemp("empty_world")
    schema.create_or_migrate(world)
    return world


@pytest.fixture
def fresh_world(empty_world: Path, tmp_path: Path) -> Path:
    """A world with an empty warehouse of the test's own."""
    copied(empty_world, tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def on_server(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder for worlds, and the settings of an empty lake in PostgreSQL that they share."""
    folder = tmp_path_factory.mktemp("on_server")
    given = {"catalogue": postgres_server.database(f"at_{folder.name}"), "files": str(folder / "files")}
    schema.create_or_migrate(folder / "one", [], [], WarehouseSettings(**given))
    return folder, {f"LIQ_{name.upper()}": value for name, value in given.items()}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read even two frames by column."""
    monkeypatch.setattr(blocks, "FEWEST", 1)
    monkeypatch.setattr(bybit_latest, "FEWEST", 2)
