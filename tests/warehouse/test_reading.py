"""A reader that takes the statistics of files once says what the catalogue says, whatever happens beside it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.warehouse.test_reader import _files_read
from warehouse import lake, reading
from warehouse.extensions import extension
from warehouse.lake import METADATA, Lake
from warehouse.maintain import maintain
from warehouse.place import Place
from warehouse.settings import WarehouseSettings
from warehouse.writer import append

pytestmark = pytest.mark.local("how a SQLite catalogue is attached")

Maker = Callable[..., pl.DataFrame]
FIRST_DAY = datetime(2026, 10, 1)  # noqa: DTZ001
AT_ONCE = timedelta(0)
DAY = "ts_event >= TIMESTAMP '2026-10-05' AND ts_event < TIMESTAMP '2026-10-06'"
QUESTIONS = (
    "SELECT * FROM liquidations ORDER BY event_key",
    f"SELECT event_key FROM liquidations WHERE {DAY} ORDER BY 1",
    "SELECT event_key, ts_event FROM liquidations ORDER BY ts_event DESC LIMIT 7",
    "SELECT event_key, notional_usd FROM liquidations ORDER BY notional_usd DESC, event_key LIMIT 7",
    "SELECT count(*), sum(notional_usd) FROM liquidations WHERE notional_usd > 150 AND symbol = 'BTCUSDT'",
    "SELECT count(*) FROM liquidations WHERE status IS NULL",
    "SELECT min(ts_event), max(ts_event), max(event_key), min(notional_usd), count(*) FROM liquidations",
)


def _bare(world: Path) -> duckdb.DuckDBPyConnection:
    """Attach the catalogue as any DuckDB would."""
    connection = duckdb.connect()
    for name in Place(world, WarehouseSettings()).extensions:
        connection.execute(f"LOAD '{extension(name)}'")
    connection.execute(Place(world, WarehouseSettings()).attach(read_only=True))
    connection.execute("USE lake")
    return connection


def _answers(connection: duckdb.DuckDBPyConnection) -> list[list[Any]]:
    return [connection.execute(question).fetchall() for question in QUESTIONS]


@pytest.fixture
def reader(world: Path, writer: Lake, liquidations: Maker) -> Iterator[Lake]:
    """A reader that was opened when there were ten days of liquidations."""
    for day in range(10):
        append(writer, {"liquidations": liquidations(100, FIRST_DAY + timedelta(days=day), 1000 * day)})
    with lake.open(world) as opened:
        yield opened


def test_a_reader_answers_as_any_duckdb_does_while_files_come_and_go(
    world: Path, writer: Lake, reader: Lake, liquidations: Maker
) -> None:
    def added(first: int) -> None:
        append(writer, {"liquidations": liquidations(30, FIRST_DAY + timedelta(days=4, hours=first), 10**6 * first)})

    changes: tuple[Callable[[], object], ...] = (
        lambda: None,
        lambda: added(1),
        lambda: maintain(
            writer, AT_ONCE, timedelta(hours=1)
        ),  # the newest statistics go, so their places are given anew
        lambda: added(2),
        lambda: writer.connection.execute("DELETE FROM liquidations WHERE event_key % 3 = 0"),
        lambda: added(3),
        lambda: maintain(writer, AT_ONCE, timedelta(hours=1)),
    )
    for change in changes:
        change()
        with _bare(world) as bare:
            assert _answers(reader.connection) == _answers(bare)


def test_a_one_day_query_opens_one_days_files_old_and_new(writer: Lake, reader: Lake, liquidations: Maker) -> None:
    asked = f"SELECT sum(notional_usd) FROM liquidations WHERE {DAY}"
    assert _files_read(reader, asked) == [1]
    for day in range(10):
        append(writer, {"liquidations": liquidations(10, FIRST_DAY + timedelta(days=day, hours=9), 10**6 * day)})
    assert _files_read(reader, asked) == [2]
    assert _files_read(reader, "SELECT event_key FROM liquidations ORDER BY ts_event DESC LIMIT 1") <= [20]


def test_the_readers_catalogue_shows_every_table_as_it_is_and_of_statistics_those_of_times(
    writer: Lake, reader: Lake, liquidations: Maker
) -> None:
    append(writer, {"liquidations": liquidations(10, FIRST_DAY, 10**6)})
    names = [name for (name,) in reader.connection.execute(f"FROM {reading._asked(reading._TABLES)}").fetchall()]
    assert len(names) > 20
    for name in names:
        shown, stored = (
            sorted(map(repr, opened.connection.execute(f"FROM {METADATA}.{name}").fetchall()))
            for opened in (reader, writer)
        )
        if name == reading.STATISTICS:
            assert len(shown) < len(set(stored)) / 5
            assert set(shown) <= set(stored)
            times = f"SELECT table_id, column_id FROM {METADATA}.ducklake_column WHERE column_type = 'timestamp'"
            query = f"SELECT count(*) FROM {METADATA}.{name} WHERE (table_id, column_id) IN ({times})"
            assert reader.connection.execute(query).fetchall() == writer.connection.execute(query).fetchall()
        else:
            assert shown == stored, name


def test_no_statistics_are_shown_twice(writer: Lake, reader: Lake, liquidations: Maker) -> None:
    append(writer, {"liquidations": liquidations(10, FIRST_DAY, 10**6)})
    query = f"SELECT count(*), count(DISTINCT (data_file_id, column_id)) FROM {METADATA}.{reading.STATISTICS}"
    every, different = reader.connection.execute(query).fetchone() or (0, 1)
    assert every == different > 0


def test_a_user_of_a_reader_sees_nothing_but_the_lake(reader: Lake) -> None:
    found = reader.connection.execute("SELECT DISTINCT database FROM (SHOW ALL TABLES)").fetchall()
    assert found == [("lake",)]


def test_rows_that_lie_in_the_catalogue_itself_are_read_too(world: Path) -> None:
    plain = Place(world, WarehouseSettings()).attach(read_only=False).replace("ROW_LIMIT 0", "ROW_LIMIT 100")
    with Lake(world, WarehouseSettings(), read_only=False) as other:
        other.connection.execute(
            f"USE memory; DETACH lake; {plain}; USE lake; CREATE TABLE seen (ts TIMESTAMP, usd DOUBLE)"
        )
        other.connection.execute("CALL lake.set_option('data_inlining_row_limit', '100', table_name => 'seen')")
        other.connection.execute("INSERT INTO seen VALUES (TIMESTAMP '2026-10-05 12:00:00', 1.5)")
        assert other.connection.execute(
            "SELECT count(*) FROM glob(?)", [f"{world}/lake/files/**/seen/*"]
        ).fetchone() == (0,)
    with lake.open(world) as opened:
        assert opened.connection.execute("FROM seen").fetchall() == [(datetime(2026, 10, 5, 12), 1.5)]  # noqa: DTZ001
