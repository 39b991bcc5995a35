"""What a person at the keyboard sees of every view and macro: the order of rows, and types that every reader knows."""

import re

import duckdb
import pytest

from warehouse.catalogue import columns, example
from warehouse.statements import Statement, statements
from warehouse.tables import TABLES

FOUND = statements()
MACROS = {found.name: found for found in FOUND if found.kind == "macro"}
JOINED = {
    "funding_history",
    "instruments_as_of",
    "leverage_tiers_as_of",
    "liquidation_heatmap",
    "liquidations_filled_in",
}
"""Long ones, that are filtered or joined: an order of all their rows would cost each reader."""
CHOSEN = {"market_stress_weights", "levels_limits"}
"""Lists of choices, in the order they are written in; weights are exact as decimals."""


def _is_ordered(found: Statement) -> bool:
    if "\nORDER BY" in found.body:
        return True
    whole = re.fullmatch(r"FROM (\w+)\([^;]*\)", found.body)
    return whole is not None and _is_ordered(MACROS[whole[1]])


@pytest.mark.parametrize("found", [found for found in FOUND if found.kind == "view"], ids=lambda found: found.name)
def test_a_view_has_an_order_or_is_one_to_join(found: Statement) -> None:
    assert _is_ordered(found) != (found.name in JOINED | CHOSEN)


ASKED = [found for found in FOUND if (found.kind == "view" or example(found)) and found.name not in CHOSEN]


@pytest.mark.parametrize("found", ASKED, ids=lambda found: found.name)
def test_counts_and_amounts_are_of_types_that_every_reader_knows(found: Statement) -> None:
    wide = {"HUGEINT", "UHUGEINT"}
    odd = [row for row in columns(found.name).iter_rows() if row[1] in wide or row[1].startswith("DECIMAL")]
    assert odd == []


def test_of_gaps_of_one_time_those_of_liquidations_come_first() -> None:
    with duckdb.connect() as connection:
        kinds = ", ".join(f'"{name}" {kind}' for name, kind in TABLES["feed_coverage"].types.items())
        connection.execute(f"CREATE TABLE feed_coverage ({kinds})")
        for found in FOUND:
            if found.name in ("as_of", "feed_gaps"):
                connection.execute(found.create())
        connection.execute(
            "INSERT INTO feed_coverage BY NAME SELECT * FROM (VALUES ('okx', 'liquidation-orders', true), "
            "('binance', 'cm_klines@1m', false), ('bybit', 'allLiquidation', true)) "
            "AS t(venue, channel, carries_liquidations), "
            "(SELECT as_of() - INTERVAL 1 HOUR AS minute, 'ws' AS transport, 0.0 AS connected_share, 'stopped' AS gap_reason)"
        )
        rows = connection.execute("SELECT channel FROM feed_gaps").fetchall()
    assert [channel for (channel,) in rows] == ["allLiquidation", "liquidation-orders", "cm_klines@1m"]
