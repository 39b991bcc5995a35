"""The warehouse that views and checks are asked in."""

from collections.abc import Iterator

import pytest

from warehouse import lake, schema
from warehouse.lake import Lake


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A warehouse without a row, one a file of tests; a test takes out what it puts in."""
    world = tmp_path_factory.mktemp("world")
    schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as opened:
        yield opened
