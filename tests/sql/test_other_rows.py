"""What must not matter to a view or macro: descriptions of other contracts and ones long superseded, rows long past or still
to come; and whether a contract was known already when its rows came.

Of each the largest case is asked once more with what it is given changed in these ways; it must answer the same.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.sql.test_views import CASES, Memory, asked, comparable
from warehouse.tables import TABLES

FAR = timedelta(days=5000)
STANDING = {"instruments", "leverage_tiers", "cascade_rules", "rollup_pending"}
"""Tables whose rows hold until the next: what is stored later is what is known today."""
OF_ALL_TIME = {
    "cascade_venues", "dead_letters_summary", "frame_numbers", "frames_accounted", "frames_by_venue", "funding_history",
    "leverage_tiers_as_of", "liquidations_filled_in",
}  # fmt: skip
"""Those that answer for all time, and are to be filtered."""
OF_ALL_THE_PAST = {"liquidation_heatmap", "signals_history", "signals_outcome"}
OF_ALL_CONTRACTS = {"instruments_as_of", "liquidation_price_shifts", "null_shares"}
AS_STORED = {
    "liquidations_filled_in": "tells whether a contract was known when its rows came",
    "price_bars_since": "part of price_bars, which tells what each contract is",
    "price_hours": "part of price_bars, which tells what each contract is",
    "price_minutes": "part of price_bars, which tells what each contract is",
    "price_24h": "its case has a contract that is never described, whose price is not known",
}
"""Those to which it matters, and why."""
HEARD = {
    "liquidations",
    "funding_rates",
    "funding_settlements",
    "open_interest",
    "mark_prices",
    "klines",
    "long_short_ratios",
}
KNOWN = ("instrument", "base", "quote", "settle", "contract", "kind")
OTHER = {
    "instrument": "OTHER/EUR:EUR", "base": "OTHER", "quote": "EUR", "settle": "EUR", "contract": "inverse", "kind": "future",
    "contract_size": 7.0, "multiplier": 10, "status": "Trading", "pays_funding": True, "interval_hours": 3.0,
    "valid_from": "2019-01-01T00:00:00",
}  # fmt: skip

Rows = dict[str, list[dict[str, Any]]]


def _largest() -> dict[str, Path]:
    by_size = sorted(
        (path for path in CASES if json.loads(path.read_text())["out"]), key=lambda path: path.stat().st_size
    )
    return {path.parent.name: path for path in by_size if path.parent.name not in OF_ALL_CONTRACTS}


CASE_OF = _largest()


def _moved(table: str, rows: list[dict[str, Any]], by: timedelta) -> Iterator[dict[str, Any]]:
    """Yield the rows at another time; their keys are others too."""
    times = {name for name, kind in TABLES[table].schema.items() if kind == pl.Datetime("us")}
    for row in rows:
        new = {
            name: (datetime.fromisoformat(value) + by).isoformat() if name in times and value else value
            for name, value in row.items()
        }
        yield new | ({"event_key": new["event_key"] + 10**9 + by.days} if "event_key" in new else {})


def _others(given: Rows) -> list[dict[str, Any]]:
    """Return descriptions of a contract of the same venue and of one of the same symbol elsewhere, for each there is, and
    one before the others of each contract that is described."""
    there = {_key(row) for rows in given.values() for row in rows if row.get("venue") and row.get("symbol")}
    beside = {other for venue, symbol in there for other in ((venue, f"{symbol}-OTHER"), ("elsewhere", symbol))} - there
    described = {_key(row) for row in given.get("instruments", [])}
    return [{"venue": venue, "symbol": symbol} | OTHER for venue, symbol in sorted(beside | described)]


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return row.get("venue", ""), row.get("symbol", "")


def _unknown(given: Rows) -> Rows:
    """Return the rows as they are where contracts are described only later: by what the rows say themselves, if by nothing."""
    described = {_key(row) for row in given.get("instruments", [])}
    by_rows = {
        _key(row): OTHER | dict.fromkeys(KNOWN)
        | {"contract": "linear", "contract_size": 1.0, "multiplier": 1, "interval_hours": None}
        | {name: row[name] for name in KNOWN if row.get(name)} | {"venue": row["venue"], "symbol": row["symbol"]}
        for table in HEARD & given.keys() for row in given[table]
        if _key(row) not in described and row.get("instrument") and row.get("base") and row.get("quote")
    }  # fmt: skip
    later = {
        table: [
            row | dict.fromkeys(_lost(table)) if _key(row) in described | by_rows.keys() else row
            for row in given[table]
        ]
        for table in HEARD & given.keys()
    }
    return given | later | {"instruments": [*given.get("instruments", []), *by_rows.values()]}


def _lost(table: str) -> list[str]:
    return [name for name in KNOWN if name in TABLES[table].schema and (table, name) != ("long_short_ratios", "kind")]


@pytest.mark.parametrize("name", CASE_OF)
def test_other_contracts_and_other_times_change_nothing(memory: Memory, name: str) -> None:
    case = json.loads(CASE_OF[name].read_text())
    given: Rows = case["in"]
    distances = [] if name in OF_ALL_TIME else [FAR] if name in OF_ALL_THE_PAST else [FAR, -FAR]
    more = {
        table: [new for by in distances for new in _moved(table, rows, by)]
        for table, rows in given.items()
        if table not in STANDING
    }
    more["instruments"] = [] if name == "liquidations_filled_in" else _others(given)  # its rows may be older than any
    case["in"] = {table: [*given.get(table, []), *more.get(table, [])] for table in given.keys() | more.keys()}
    assert comparable(asked(memory, name, case)) == comparable(case["out"])


@pytest.mark.parametrize("name", [name for name in CASE_OF if name not in AS_STORED])
def test_a_contract_that_was_described_after_its_rows_came_is_as_one_described_before(
    memory: Memory, name: str
) -> None:
    case = json.loads(CASE_OF[name].read_text()) | {"out": []}  # all columns
    later = case | {"in": _unknown(case["in"])}
    assert comparable(asked(memory, name, later)) == comparable(asked(memory, name, case))
