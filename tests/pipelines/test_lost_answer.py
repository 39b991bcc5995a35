"""A commit that PostgreSQL stored while its answer was lost on the way: told as failed, and not to be stored again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from pipelines.ingest.run import Ingest
from pipelines.settings import IngestSettings
from warehouse import lake, schema, writer
from warehouse.errors import WriteFailedError
from warehouse.settings import WarehouseSettings
from warehouse.tables import TABLES

NOW = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class Cut(lake.Lake):
    """A warehouse whose answer to the first commits is lost, before or after they are stored."""

    def __init__(self, world: Path, *lost: str) -> None:
        super().__init__(world, WarehouseSettings(data=world), read_only=False)
        self.lost = list(lost)

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        when = self.lost.pop(0) if self.lost else ""
        with super().transaction() as connection:
            yield connection
            if when == "before":
                raise WriteFailedError("the connection was lost")
        if when == "after":
            raise WriteFailedError("the connection was lost")


def _commit(first: int, following: int) -> pl.DataFrame:
    row = (NOW, "cluster", "raw.liquidation", 0, first, following, following - first, 0, 0)
    return pl.DataFrame([row], schema=TABLES["ingest_commits"].schema, orient="row")


def _stored(world: Path, *lost: str) -> list[tuple[int, int]]:
    schema.create_or_migrate(world)
    with Cut(world) as opened:
        ingest = Ingest(IngestSettings(data=world))
        ingest._lake, ingest._cluster = opened, "cluster"
        ingest._append({"ingest_commits": _commit(0, 5)})
        opened.lost = list(lost)
        assert ingest._append({"ingest_commits": _commit(5, 9)}) == {"ingest_commits": writer.Appended(1, 0)}
        query = "SELECT offset_from, offset_next FROM ingest_commits ORDER BY ALL"
        return opened.connection.execute(query).fetchall()


def test_a_commit_whose_answer_was_lost_is_stored_once(tmp_path: Path) -> None:
    for number, lost in enumerate((("after",), ("before",), ("before", "after"))):
        assert _stored(tmp_path / str(number), *lost) == [(0, 5), (5, 9)]
