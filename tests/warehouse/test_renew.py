"""A connection that lives for days is renewed: what it holds of past commits goes, the warehouse stays."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from warehouse import lake
from warehouse.errors import LostCatalogueError
from warehouse.lake import Lake
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]


def _held(opened: Lake) -> int:
    found = opened.connection.execute("SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'OBJECT_CACHE'")
    return int(found.fetchall()[0][0])


def _rows(opened: Lake) -> int:
    return int(opened.connection.execute("SELECT count(*) FROM liquidations").fetchall()[0][0])


def test_a_writer_holds_more_with_each_commit_until_it_is_renewed(writer: Lake, liquidations: Maker) -> None:
    held = []
    for first in (0, 10, 20):
        writer.renew()
        for number in range(first, first + 10):
            append(writer, {"liquidations": liquidations(1, first=number)})
            held.append(_held(writer))
    grown = held[9] - held[0]
    assert grown > 5_000
    assert held[19] < held[9] + grown / 2
    assert held[29] < held[9] + grown / 2
    assert _rows(writer) == 30


def test_a_reader_goes_on_and_sees_what_was_stored_since(writer: Lake, world: Path, liquidations: Maker) -> None:
    with lake.open(world) as reader:
        append(writer, {"liquidations": liquidations(3)})
        reader.renew()
        assert _rows(reader) == 3


@pytest.mark.local("a SQLite catalogue that is moved away")
def test_where_it_cannot_be_renewed_the_old_connection_serves_on(
    writer: Lake, world: Path, liquidations: Maker
) -> None:
    append(writer, {"liquidations": liquidations(2)})
    with lake.open(world) as reader:
        assert _rows(reader) == 2
        catalogue = world / "lake" / "catalog.sqlite"
        catalogue.rename(catalogue.with_suffix(".away"))
        with pytest.raises(LostCatalogueError):
            reader.renew()
        catalogue.with_suffix(".away").rename(catalogue)
        assert _rows(reader) == 2
