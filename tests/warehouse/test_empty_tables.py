"""How often DuckLake asks its catalogue to plan a query over tables without rows, and what their first rows make known."""

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from warehouse import lake
from warehouse.lake import METADATA, Lake
from warehouse.writer import append

OF_STATISTICS = "FROM duckdb_logs WHERE message LIKE '%ducklake_table_stats%'"


def _asked(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """Return how many times statistics of tables are asked for while `sql` runs."""
    connection.execute("CALL enable_logging(['DuckLakeMetadata'], level = 'trace')")
    connection.execute(sql).fetchall()
    connection.execute("CALL disable_logging()")
    return int(connection.execute(f"SELECT count(*) {OF_STATISTICS}").fetchall()[0][0])


@pytest.mark.parametrize("read_only", [True, False])
def test_statistics_of_an_empty_table_are_asked_for_once(world: Path, read_only: bool) -> None:
    with lake.open(world, read_only=read_only, unlocked=True) as opened:
        assert _asked(opened.connection, "SELECT * FROM liquidations JOIN funding_rates USING (ts_event)") == 2


def test_ducklake_itself_still_asks_once_a_column(world: Path) -> None:
    """Mended upstream in duckdb/ducklake 1313: when this fails, `warehouse/empty_tables.py` is not needed any more."""
    with lake.open(world, read_only=False) as opened:
        opened.connection.execute("CREATE TABLE not_noted (a INTEGER, b INTEGER, c INTEGER)")
        assert _asked(opened.connection, "SELECT a, b, c FROM not_noted") > 3


def _bounds(opened: Lake, table: str) -> list[tuple[object, ...]]:
    query = (
        f"SELECT column_name, contains_null, contains_nan, min_value, max_value FROM {METADATA}.ducklake_table_column_stats "
        f"JOIN {METADATA}.ducklake_column USING (table_id, column_id) "
        f"JOIN {METADATA}.ducklake_table USING (table_id) WHERE table_name = ? ORDER BY column_id"
    )
    return opened.connection.execute(query, [table]).fetchall()


def test_the_first_rows_make_known_what_they_would_without(
    writer: Lake, liquidations: Callable[..., pl.DataFrame]
) -> None:
    assert all(
        re.fullmatch("0|False", str(nulls)) and low is None for _, nulls, _, low, _ in _bounds(writer, "liquidations")
    )
    columns = ", ".join(f"{name}" for name, _, _, _, _ in _bounds(writer, "liquidations"))
    append(writer, {"liquidations": liquidations(40)})
    writer.connection.execute(f"CREATE TABLE without AS SELECT {columns} FROM liquidations")
    assert _bounds(writer, "without") == _bounds(writer, "liquidations")


def test_a_reader_that_knew_of_no_row_sees_the_first_ones(
    world: Path, writer: Lake, liquidations: Callable[..., pl.DataFrame]
) -> None:
    counted = "SELECT count(*), min(ts_event) IS NULL FROM liquidations"
    with lake.open(world) as reader:
        assert reader.connection.execute(counted).fetchall() == [(0, True)]
        append(writer, {"liquidations": liquidations(40)})
        assert reader.connection.execute(counted).fetchall() == [(40, False)]
