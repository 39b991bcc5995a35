"""Columns of a day, in a picture of months: a level is drawn up to the hour in which the price reached it, and no longer."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.derive.bars.run import rollup
from pipelines.plots.read.asking import Asked
from pipelines.plots.read.levels import heatmap
from tests.pipelines.plots.test_command import frame
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.lake import Lake
from warehouse.writer import append, replace

END = datetime(2026, 11, 18)  # noqa: DTZ001 the warehouse's times are UTC without a zone
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FALL = END - 60 * DAY + 7 * HOUR


def price(at: datetime) -> float:
    return 100.0 if at < FALL else 80.0


@pytest.fixture
def warehouse(empty_world: Path, tmp_path: Path) -> Iterator[Lake]:
    """Ninety days of levels of longs at 85 and shorts at 120, a column a day, and a price that falls through the first."""
    copied(empty_world, tmp_path)
    days = [END - DAY * n for n in range(90, -1, -1)]
    levels: list[dict[str, Any]] = [
        {"ts": at, "base": "BTC", "position_side": side, "leverage": 10.0, "bin": int(low), "price_low": low,
         "price_high": low + 1, "price": low + 0.5, "price_now": price(at), "distance": 0.1, "usd_estimated": 1e6,
         "qty_base_estimated": 1.0, "venues": "bybit", "since": days[0], "bars_share": 1.0, "weights_from": "prior"}
        for at in days for side, low in (("long", 85.0), ("short", 120.0)) if side == "short" or at < FALL
    ]  # fmt: skip
    candles = [
        {"venue": "bybit", "ts_event": at, "ts_recv": at + HOUR, "interval": "1m", "price_kind": "trade", "closed": True,
         **dict.fromkeys(("open", "high", "low", "close"), price(at))}
        for at in (END - 90 * DAY + HOUR * n for n in range(90 * 24))
    ]  # fmt: skip
    listed = {"venue": "bybit", "valid_from": days[0], "ts_recv": days[0], "multiplier": 1}
    with lake.open(tmp_path, read_only=False) as opened:
        append(opened, {"instruments": frame("instruments", [listed]), "klines": frame("klines", candles)})
        replace(opened, "liquidation_levels", frame("liquidation_levels", levels), "FALSE")
        rollup(opened)
        yield opened


def test_a_level_of_a_daily_column_ends_in_the_hour_in_which_the_price_reached_it(warehouse: Lake) -> None:
    found = heatmap(warehouse, Asked("BTC", None, END - 89 * DAY, END), 0.5)
    longs = found.cells.filter(pl.col("position_side") == "long").sort("ts")
    assert longs.height == 30
    ends = longs["ts_end"].to_list()
    assert timedelta(0) <= ends[-1] - FALL <= HOUR, "not at the end of that day"
    assert [end - ts for ts, end in zip(longs["ts"], ends, strict=True)][:-1] == [DAY] * 29
    shorts = found.cells.filter(pl.col("position_side") == "short", pl.col("ts") < END)
    assert (shorts["ts_end"] - shorts["ts"]).unique().to_list() == [DAY]
    assert any(note.startswith("Columns: one a day until") for note in found.told.notes)
