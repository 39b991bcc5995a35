"""The world that the archive's tests replay, and the service of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.pipelines.serve.conftest import rows, service
from warehouse import lake, schema
from warehouse.writer import append

DAY = datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
TEN = DAY + timedelta(hours=10)
FRAMES = {
    "binance": [
        ("forceOrder@arr", "*", b'{"e":"forceOrder","E":1,"o":{"s":"BTCUSDT","S":"SELL","q":"0.1"}}'),
        ("forceOrder@arr", "*", b'{"e":"forceOrder","E":2,"o":{"s":"BTCUSD_PERP","S":"BUY","q":"7"}}'),
        ("markPrice@1s", "*", b'[{"e":"markPriceUpdate","s":"ETHUSDT","p":"2500.10"}]'),
    ],
    "bybit": [("allLiquidation", "BTCUSDT", b'{"topic":"allLiquidation.BTCUSDT","data":[{"p":"60000","v":"1e-3"}]}')],
    "okx": [
        ("liquidation-orders", "*", b'{"arg":{"channel":"liquidation-orders"},"data":[{"instId":"BTC-USDT-SWAP"}]}'),
        ("liquidation-orders", "*", b'{"arg":{"channel":"liquidation-orders"},"data":[{"instId":"BTC-USDT-261225"}]}'),
    ],
}


def frames() -> Iterator[dict[str, Any]]:
    """Yield ten minutes of frames from TEN on, each frame once a minute, a second apart."""
    for venue, frames in FRAMES.items():
        for minute in range(10):
            for number, (channel, symbol, payload) in enumerate(frames):
                yield {
                    "venue": venue, "channel": channel, "symbol": symbol, "transport": "ws", "payload": payload,
                    "source": "live", "ts_recv": TEN + timedelta(minutes=minute, seconds=10 + number, microseconds=123456),
                    "session": "s", "seq": minute * 10 + number + 1, "recv_ns": 0,
                }  # fmt: skip


def _state(minute: int) -> dict[str, Any]:
    at = TEN + timedelta(minutes=minute)
    return {"venue": "bybit", "symbol": "1000PEPEUSDT", "ts": at, "ts_event": at + timedelta(seconds=59), "ts_arrival": at,
            "ts_recv": at + timedelta(seconds=59, milliseconds=20), "channel": "tickers", "source": "live"}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = tmp_path_factory.mktemp("archive")
    schema.create_or_migrate(world)
    missed = [{"venue": "binance", "channel": "forceOrder@arr", "transport": "ws", "minute": TEN + timedelta(minutes=minute),
               "connected_share": share} for minute, share in ((4, 0.0), (5, 0.6), (6, 1.0))]  # fmt: skip
    event = {"ts": TEN + timedelta(minutes=5, seconds=11), "venue": "binance", "transport": "ws", "event": "disconnected",
             "session": "s", "ts_ns": 1}  # fmt: skip
    liquidation = {
        "venue": "bybit", "symbol": "1000PEPEUSDT", "contract": "linear", "order_side": "sell", "position_side": "long",
        "price_raw": 0.0123, "price": 0.0000123, "qty_raw": 1500.0, "qty_unit": "base", "completeness": "all", "source": "live",
    }  # fmt: skip
    told = [liquidation | {"ts_event": TEN + timedelta(seconds=number, milliseconds=7), "event_key": number, "occurrence": 0,
                           "ts_recv": TEN + timedelta(seconds=number, milliseconds=30)} for number in range(5)]  # fmt: skip
    contract = {"venue": "bybit", "symbol": "1000PEPEUSDT", "base": "PEPE", "kind": "perpetual", "contract": "linear",
                "ts_recv": TEN, "valid_from": TEN}  # fmt: skip
    funding = {"funding_rate": 0.0001, "next_funding_ts": DAY + timedelta(hours=16)}
    commit = {"ts_commit": DAY + timedelta(hours=20), "cluster_id": "c", "kafka_topic": "t", "kafka_partition": 0,
              "offset_next": 1, "appended_last": DAY + timedelta(hours=20)}  # fmt: skip
    with lake.open(world, read_only=False) as opened:
        append(opened, {
            "raw_frames": rows("raw_frames", *frames()), "collector_events": rows("collector_events", event),
            "liquidations": rows("liquidations", *told), "instruments": rows("instruments", contract),
            "funding_rates": rows("funding_rates", _state(0) | funding),
            "open_interest": rows("open_interest", *(_state(n) | {"oi_raw": 1e6 + n, "oi_unit": "base"} for n in (0, 2))),
            "mark_prices": rows("mark_prices", *(
                _state(n) | {"mark_price": 0.0000125, "index_price": 0.0000124, "multiplier": 1000} for n in range(3))),
            "ingest_commits": rows("ingest_commits", commit),
        })  # fmt: skip
        with opened.transaction() as connection:
            frame = rows("feed_coverage", *missed)
            connection.register("missed", frame.to_arrow())
            connection.execute("INSERT INTO feed_coverage BY NAME FROM missed")
    return world


@pytest.fixture(scope="module")
def ask(world: Path) -> Iterator[httpx.Client]:
    with service(world) as running:
        yield running.client
