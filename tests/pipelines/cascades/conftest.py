"""A real lake, and a burst of liquidations."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.cascade_rows import liquidation
from warehouse import lake
from warehouse.lake import Lake

MINUTE = timedelta(minutes=1)


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as opened:
        yield opened


def burst(first: float = 0, number: int = 20, each: float = 20_000, every: float = 0.5, **other: Any) -> list[Any]:
    return [liquidation(first + every * n, each, **other) for n in range(number)]
