"""What writing commands share: opening a warehouse."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.terminal import naming_damage
from warehouse.worlds import told_world


@contextmanager
def to_write(world: Path | None = None) -> Iterator[Lake]:
    """Open a world's warehouse (None: the chosen one's) for the block, of today's schema. Raises NoWarehouseError."""
    world = world or told_world()
    if lake.exists(world):
        schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as warehouse, naming_damage(warehouse):
        yield warehouse
