"""A commit that PostgreSQL stored while its answer was lost on the way: told as failed, and not to be stored again."""

import secrets
from bisect import bisect
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.ingest.commits import Log, Span, ingest_commits
from pipelines.ingest.store import RETRY_S, Store
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
    spans = {("raw.liquidation", 0): Span(first, following, following - first, None)}
    none = {"dead_letters": TABLES["dead_letters"].schema.to_frame()}
    return ingest_commits(spans, none, Log("cluster", {}, secrets.token_hex(8)), NOW)


def _stored(world: Path, before: tuple[int, int], *lost: str) -> list[tuple[int, int]]:
    schema.create_or_migrate(world)
    with Cut(world) as opened:
        store = Store(IngestSettings(data=world))
        store._lake, store._cluster = opened, "cluster"
        store.append({"ingest_commits": _commit(*before)})
        opened.lost = list(lost)
        assert store.append({"ingest_commits": _commit(5, 9)}) == {"ingest_commits": writer.Appended(1, 0)}
        query = "SELECT offset_from, offset_next FROM ingest_commits ORDER BY ALL"
        return opened.connection.execute(query).fetchall()


@pytest.mark.parametrize("lost", [("after",), ("before",), ("before", "after")])
def test_a_commit_whose_answer_was_lost_is_stored_once(tmp_path: Path, lost: tuple[str, ...]) -> None:
    assert _stored(tmp_path, (0, 5), *lost) == [(0, 5), (5, 9)]


def test_a_commit_of_higher_offsets_is_not_taken_for_the_one_that_failed(tmp_path: Path) -> None:
    """The topic was made anew since: the offsets of the old one are no answer."""
    assert _stored(tmp_path, (0, 1000), "before") == [(0, 1000), (5, 9)]


@pytest.mark.parametrize("away_s", [0.5, 3.5, 7.0, 20.0, 40.0, 60.0])
def test_a_server_that_was_away_is_asked_again_before_as_long_has_passed_once_more(away_s: float) -> None:
    tries = list(accumulate(RETRY_S))
    assert tries[bisect(tries, away_s)] - away_s <= max(3.0, away_s)
