"""A made market, served."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.pipelines.serve.conftest import Served, service
from tests.pipelines.serve.page.made import make
from tests.pipelines.serve.page.market import COINS


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world with fourteen hours of two coins."""
    world = tmp_path_factory.mktemp("market")
    make(world, 14 / 24, COINS[:2])
    return world


@pytest.fixture(scope="session")
def shown(market: Path) -> Iterator[Served]:
    """The service of that world."""
    with service(market) as running:
        yield running


@pytest.fixture(scope="session")
def get(shown: Served) -> httpx.Client:
    """What asks it."""
    return shown.client
