"""Rows for the tests of cascades: liquidations, normal minutes, and what is stored."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import polars as pl

from pipelines.derive.cascades.run import Done, detect
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append, replace

NOON = datetime(2026, 10, 10, 12)  # noqa: DTZ001 the warehouse's times are UTC without a zone
LATER = NOON + timedelta(days=1)
_keys = count(1)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def liquidation(seconds: float, usd: float | None, **other: Any) -> dict[str, Any]:
    """A liquidation so long after noon; of BTC longs on Bybit unless told."""
    return {
        "venue": "bybit", "symbol": f"{other.get('base', 'BTC')}USDT", "base": "BTC", "position_side": "long",
        "qty_base": 1.0, "notional_usd": usd, "completeness": "all", "ts_event": after(seconds),
        "event_key": next(_keys), "occurrence": 0,
    } | other  # fmt: skip


def frame(table: str, *rows: dict[str, Any]) -> pl.DataFrame:
    schema = TABLES[table].schema
    return pl.DataFrame([dict.fromkeys(schema, None) | row for row in rows], schema=schema)


def put(warehouse: Lake, *rows: dict[str, Any]) -> None:
    append(warehouse, {"liquidations": frame("liquidations", *rows)})


def normal(warehouse: Lake, usd: float, minutes: int = 60, days_ago: int = 2, **other: Any) -> None:
    """Store so many minutes of the past with `usd` in each."""
    first = NOON - timedelta(days=days_ago)
    rows = [
        {"venue": "bybit", "symbol": "BTCUSDT", "base": "BTC", "position_side": "long", "completeness": "all",
         "minute": first + timedelta(minutes=3 * number), "usd": usd, "count": 1} | other
        for number in range(minutes)
    ]  # fmt: skip
    replace(warehouse, "liquidations_1m", frame("liquidations_1m", *rows), "FALSE")


def run(warehouse: Lake, since: float = -60, until: float = 3600, now: datetime = LATER) -> Done:
    return detect(warehouse, after(since), after(until), now)


def stored(warehouse: Lake, scope: str = "all") -> list[dict[str, Any]]:
    """The rows of the table `cascades`, by base and start."""
    found = warehouse.connection.execute("FROM cascades WHERE scope = ? ORDER BY base, ts_start", [scope])
    return pl.DataFrame(found.to_arrow_table()).to_dicts()
