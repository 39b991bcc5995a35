"""The last bar of a chart does not stand still at the last candle while the marks go on."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.serve.page.candles import candles
from pipelines.serve.page.lately import Lately
from pipelines.serve.page.spans import Span
from tests.pipelines.serve.conftest import rows
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.lake import Lake
from warehouse.writer import append

NOON = datetime(2026, 11, 18, 12)  # noqa: DTZ001 the warehouse's times are UTC without a zone
MINUTE = timedelta(minutes=1)
CONTRACT = {"venue": "bybit", "symbol": "BTCUSDT", "instrument": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT",
            "settle": "USDT", "contract": "linear", "kind": "perpetual", "multiplier": 1,
            "valid_from": NOON - MINUTE, "ts_recv": NOON - MINUTE}  # fmt: skip
NAME = {"venue": "bybit", "symbol": "BTCUSDT"}


def candle(minute: int, prices: tuple[float, float, float, float], closed: bool) -> dict[str, object]:
    at = NOON + minute * MINUTE
    return NAME | dict(zip(("open", "high", "low", "close"), prices, strict=True)) | {
        "ts_event": at, "ts_recv": at + timedelta(seconds=70 if closed else 20), "interval": "1m", "price_kind": "trade",
        "closed": closed,
    }  # fmt: skip


@pytest.fixture
def warehouse(empty_world: Path, tmp_path: Path) -> Iterator[Lake]:
    """Candles of 12:00 and 12:01, the second seen at 12:01:20; marks fall to 80 at 12:01:50 and are 85 from 12:05 on."""
    copied(empty_world, tmp_path)
    marks = {10.0: 300.0, 65.0: 101.5, 110.0: 80.0, 115.0: 82.0, 300.0: 85.0}
    told = [NAME | {"ts": NOON + timedelta(seconds=at), "ts_event": NOON + timedelta(seconds=at), "mark_price": price}
            for at, price in marks.items()]  # fmt: skip
    with lake.open(tmp_path, read_only=False) as opened:
        append(opened, {
            "instruments": rows("instruments", CONTRACT),
            "klines": rows(
                "klines", candle(0, (100.0, 101.0, 99.0, 100.0), True), candle(1, (100.0, 102.0, 98.0, 101.0), False)
            ),
            "mark_prices": rows("mark_prices", *told),
        })  # fmt: skip
        opened.connection.execute("SET VARIABLE as_of = TIMESTAMP '2026-11-18 12:06:00'")
        yield opened


def test_the_running_bar_goes_on_with_the_marks_since_its_last_candle(warehouse: Lake) -> None:
    span = Span(NOON - timedelta(minutes=54), NOON + 6 * MINUTE, MINUTE)
    found = candles(warehouse, "BTC", span, "", Lately())["bars"]
    start = int(NOON.replace(tzinfo=UTC).timestamp())
    assert [(bar[0] - start, *bar[1:5], bar[6]) for bar in found] == [
        (0, 100.0, 101.0, 99.0, 100.0, False),
        (60, 100.0, 102.0, 80.0, 82.0, True),
        (300, 85.0, 85.0, 85.0, 85.0, True),
    ]
