"""A warehouse to look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse import lake
from warehouse.lake import Lake


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    """An empty warehouse of the test's own."""
    with lake.open(fresh_world, read_only=False) as opened:
        yield opened
