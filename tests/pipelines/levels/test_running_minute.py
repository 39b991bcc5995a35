"""A candle that was told before its minute was over does not hide what the price did in the rest of the minute."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.derive.levels.bars import bars, contracts
from pipelines.derive.levels.parameters import PARAMETERS
from tests.pipelines.levels.test_stored import whole
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.lake import Lake
from warehouse.writer import append

NOON = datetime(2026, 11, 18, 12)  # noqa: DTZ001 the warehouse's times are UTC without a zone
MINUTE = timedelta(minutes=1)
CONTRACT = {"venue": "bybit", "symbol": "1000XUSDT", "instrument": "X/USDT:USDT", "base": "X", "quote": "USDT",
            "settle": "USDT", "contract": "linear", "kind": "perpetual", "multiplier": 1000,
            "valid_from": NOON - MINUTE}  # fmt: skip
NAME = {"venue": "bybit", "symbol": "1000XUSDT"}


@pytest.fixture
def listed(empty_world: Path, tmp_path: Path) -> Iterator[Lake]:
    copied(empty_world, tmp_path)
    with lake.open(tmp_path, read_only=False) as opened:
        append(opened, {"instruments": whole("instruments", pl.DataFrame([CONTRACT]))})
        yield opened


def told(warehouse: Lake, seen_s: int, closed: bool, marks: dict[int, float]) -> dict[str, Any]:
    """Return the bar of a minute whose candle (99 to 101, in thousands) was seen at that second, with marks at others."""
    candle = NAME | {"ts_event": NOON, "ts_recv": NOON + timedelta(seconds=seen_s), "interval": "1m", "price_kind": "trade",
                     "low": 99e3, "high": 101e3, "close": 100e3, "closed": closed}  # fmt: skip
    at = [NOON + timedelta(seconds=second) for second in marks]
    append(warehouse, {
        "klines": whole("klines", pl.DataFrame([candle])),
        "mark_prices": whole("mark_prices", pl.DataFrame(
            [NAME | {"ts": ts, "ts_event": ts, "mark_price": price} for ts, price in zip(at, marks.values(), strict=True)])),
    })  # fmt: skip
    found = bars(warehouse, contracts(warehouse, NOON, PARAMETERS), NOON, NOON + MINUTE)
    assert found.height == 1
    return found.row(0, named=True)


def test_a_fall_after_the_candle_was_told_is_in_the_bar(listed: Lake) -> None:
    bar = told(listed, 14, False, {9: 100.0, 30: 88.0, 55: 91.0})
    assert (bar["low"], bar["high"], bar["close"]) == (88.0, 101.0, 91.0)


def test_a_mark_before_the_candle_widens_it_and_does_not_end_it(listed: Lake) -> None:
    bar = told(listed, 40, False, {9: 98.0, 30: 103.0})
    assert (bar["low"], bar["high"], bar["close"]) == (98.0, 103.0, 100.0)


def test_a_closed_candle_is_what_was_traded(listed: Lake) -> None:
    bar = told(listed, 61, True, {9: 80.0, 30: 120.0, 59: 90.0})
    assert (bar["low"], bar["high"], bar["close"]) == (99.0, 101.0, 100.0)
