"""The price in a picture: by the second in a short time, in bars that end where they are known, and the marks since then."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.derive.bars.run import rollup
from pipelines.derive.cascades.run import detect
from pipelines.plots.read.asking import Asked
from pipelines.plots.read.cascade import cascade
from pipelines.plots.read.prices import prices
from tests.pipelines.plots.test_command import frame, liquidation
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.lake import Lake
from warehouse.writer import append

NOON = datetime(2026, 11, 18, 12)  # noqa: DTZ001 the warehouse's times are UTC without a zone
SECOND = timedelta(seconds=1)
FALL = NOON + timedelta(seconds=20)
VENUES = ("binance", "bybit")
BTC = Asked("BTC")


def market(at: datetime) -> float:
    """100 until the fall, then 1 less each second for 12 seconds."""
    return 100.0 - min(max((at - FALL).total_seconds(), 0), 12)


def marks(every: int) -> list[dict[str, Any]]:
    times = [NOON + SECOND * n for n in range(0, 56, every)]
    return [{"venue": venue, "ts": at, "ts_event": at, "mark_price": market(at)} for venue in VENUES for at in times]


def candles() -> list[dict[str, Any]]:
    """The day before, and the running minute as it was told at its fourth second."""
    past = [(NOON - timedelta(minutes=n + 1), True) for n in range(1440)]
    candle = ("open", "high", "low", "close")
    return [
        {"venue": venue, "ts_event": at, "ts_recv": NOON + 4 * SECOND, "interval": "1m", "price_kind": "trade",
         "closed": closed, **dict.fromkeys(candle, 100.0)}
        for venue in VENUES for at, closed in [*past, (NOON, False)]
    ]  # fmt: skip


def fills() -> list[dict[str, Any]]:
    """Forty liquidations of longs in the twelve seconds: Binance's by what they were filled at, Bybit's beyond the market."""
    found = []
    for number in range(40):
        at = FALL + SECOND * (number % 12) + timedelta(milliseconds=300 + number)
        binance = number % 2 == 0
        found.append(liquidation(number + 1) | {
            "ts_event": at, "position_side": "long", "venue": "binance" if binance else "bybit", "notional_usd": 2e5,
            "price": market(at) - (0 if binance else 3), "price_kind": "fill_average" if binance else "bankruptcy",
            "completeness": "all",
        })  # fmt: skip
    return found


@pytest.fixture
def warehouse(empty_world: Path, tmp_path: Path) -> Iterator[Lake]:
    copied(empty_world, tmp_path)
    listed = {
        "valid_from": NOON - timedelta(days=2),
        "ts_recv": NOON,
        "contract_size": 1.0,
        "multiplier": 1,
        "status": "Trading",
    }
    with lake.open(tmp_path, read_only=False) as opened:
        append(opened, {
            "instruments": frame("instruments", [listed | {"venue": venue} for venue in VENUES]),
            "klines": frame("klines", candles()),
            "liquidations": frame("liquidations", fills()),
        })  # fmt: skip
        yield opened


def off(lines: pl.DataFrame) -> float:
    """Return by how much the line is wrong where it is furthest off."""
    return max(abs(price - market(at)) for at, price in lines.select("ts", "price").iter_rows())


@pytest.mark.parametrize("every", [5, 60])
def test_a_short_time_has_the_price_of_its_own_seconds(warehouse: Lake, every: int) -> None:
    append(warehouse, {"mark_prices": frame("mark_prices", marks(every))})
    lines, notes = prices(warehouse, BTC, NOON, NOON + timedelta(minutes=1))
    falling = lines.filter(pl.col("ts").is_between(FALL, FALL + 12 * SECOND))
    assert falling.height >= 6
    assert off(lines) < 0.1, "bankruptcy prices lie beyond the market and are not taken"
    assert any("marks" in note for note in notes)


def test_a_cascades_price_falls_with_its_liquidations(warehouse: Lake) -> None:
    append(warehouse, {"mark_prices": frame("mark_prices", marks(5))})
    rollup(warehouse)
    detect(warehouse, NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=2))
    found = cascade(warehouse, Asked(until=NOON + timedelta(hours=1)), None)
    inside = found.prices.filter(pl.col("ts").is_between(found.event.ts_start, found.event.ts_end))
    assert inside.height >= 6
    assert inside["price"].is_sorted(descending=True)
    assert off(found.prices) < 0.1
    assert found.told.until > found.event.ts_end


def test_a_long_time_ends_with_the_marks_since_the_last_candle(warehouse: Lake) -> None:
    """The running candle was told before the fall: its line ended at 100, at the end of a minute that had not come."""
    append(warehouse, {"mark_prices": frame("mark_prices", marks(5))})
    rollup(warehouse)
    lines, _ = prices(warehouse, BTC, NOON - timedelta(hours=20), NOON + timedelta(minutes=2))
    last = lines.row(-1, named=True)
    assert last["ts"] == NOON + 55 * SECOND
    assert (last["price"], last["low"], last["high"]) == (88.0, 88.0, 100.0)
    assert lines["ts"].is_sorted()
    assert lines["ts"].n_unique() == lines.height


def test_a_candle_is_drawn_no_later_than_it_is_known(warehouse: Lake) -> None:
    rollup(warehouse)
    lines, _ = prices(warehouse, BTC, NOON - timedelta(hours=20), NOON + timedelta(minutes=30))
    assert lines["ts"].max() <= NOON + timedelta(minutes=1)  # type: ignore[operator]


def test_without_candles_the_marks_are_the_line(warehouse: Lake) -> None:
    hours = [NOON + timedelta(minutes=10 * n) for n in range(60)]
    told = [{"venue": "bybit", "ts": at, "ts_event": at, "mark_price": 90.0 + n} for n, at in enumerate(hours)]
    append(warehouse, {"mark_prices": frame("mark_prices", told)})
    warehouse.connection.execute("DELETE FROM klines")
    lines, notes = prices(warehouse, BTC, NOON, NOON + timedelta(hours=10))
    assert lines["price"].to_list() == [90.0 + n for n in range(60)]
    assert notes == ("Price: the venues' marks, as there are no candles",)


def test_where_candles_end_long_before_the_marks_go_on_to_the_edge(warehouse: Lake) -> None:
    late = NOON + timedelta(days=10)
    told = [{"venue": "bybit", "ts": at, "ts_event": at, "mark_price": 70.0 + n}
            for n, at in enumerate(late + timedelta(hours=n) for n in range(20))]  # fmt: skip
    append(warehouse, {"mark_prices": frame("mark_prices", told)})
    rollup(warehouse)
    lines, notes = prices(warehouse, BTC, NOON - timedelta(hours=20), late + timedelta(hours=20))
    assert lines.filter(pl.col("ts") >= late)["price"].to_list() == [70.0 + n for n in range(20)]
    assert lines.filter(pl.col("ts") < late)["price"].unique().to_list() == [100.0]
    assert lines.row(-1)[1] == 89.0
    assert notes == ("Price: candles, and where there are none the venues' marks",)
