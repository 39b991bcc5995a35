"""The warehouse that views and checks are asked in."""

from collections.abc import Iterator

import pytest

from tests.sql.test_views import Memory
from warehouse import lake, schema
from warehouse.catalogue import in_memory
from warehouse.lake import Lake


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A warehouse without a row, one a file of tests; a test takes out what it puts in."""
    world = tmp_path_factory.mktemp("world")
    schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def memory() -> Iterator[Memory]:
    """The same in memory, where a query is planned in a third of the time: for what is tried with ever other rows."""
    with in_memory() as connection:
        yield Memory(connection)
