"""A world with some rows, and the real service of it as a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import polars as pl
import pytest

from collectors.ports import free_port
from warehouse import lake, schema
from warehouse.tables import TABLES
from warehouse.writer import append

HOUR = timedelta(hours=1)
BEGAN = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(minutes=30)
START_S = 60


class Served(NamedTuple):
    """The service: its world, process, and a client that asks it."""

    world: Path
    process: subprocess.Popen[bytes]
    client: httpx.Client


def rows(table: str, *given: dict[str, Any]) -> pl.DataFrame:
    """Return rows of a table; columns not given are null."""
    columns = TABLES[table].schema
    return pl.DataFrame([dict.fromkeys(columns, None) | row for row in given], schema=columns)


def _liquidation(number: int) -> dict[str, Any]:
    venue, completeness = (("bybit", "all"), ("okx", "partial"))[number % 2]
    return {
        "venue": venue, "symbol": "BTCUSDT", "instrument": "BTC/USDT:USDT", "base": "BTC" if number % 3 else "ETH",
        "position_side": "long" if number % 5 else "short", "qty_base": 0.5, "price": 60_000.0, "price_kind": "bankruptcy",
        "notional_usd": 100.0 + number, "completeness": completeness, "ts_event": BEGAN + timedelta(seconds=number),
        "event_key": number, "occurrence": 0,
    }  # fmt: skip


def _contract(venue: str, base: str) -> dict[str, Any]:
    return {
        "venue": venue, "symbol": f"{base}USDT", "instrument": f"{base}/USDT:USDT", "base": base, "quote": "USDT",
        "ts_recv": BEGAN - HOUR,
    }  # fmt: skip


@pytest.fixture(scope="session")
def served_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world with 300 liquidations of two venues, to be read only."""
    return make_world(tmp_path_factory.mktemp("served"))


def make_world(world: Path) -> Path:
    """Make such a world in a folder."""
    world.mkdir(parents=True, exist_ok=True)
    schema.create_or_migrate(world)
    commit = {"ts_commit": BEGAN + timedelta(minutes=6), "cluster_id": "c", "kafka_topic": "raw.liquidation",
              "kafka_partition": 0, "offset_next": 300, "appended_last": BEGAN + timedelta(minutes=5)}  # fmt: skip
    with lake.open(world, read_only=False) as opened:
        append(opened, {
            "liquidations": rows("liquidations", *map(_liquidation, range(300))),
            "instruments": rows("instruments", *(_contract(v, b) for v in ("bybit", "okx") for b in ("BTC", "ETH"))),
            "ingest_commits": rows("ingest_commits", commit),
        })  # fmt: skip
    return world


@contextmanager
def service(world: Path, **more: str) -> Iterator[Served]:
    """Run `liq serve` in a world; `more`: settings."""
    port = int(more.get("LIQ_SERVE_PORT", 0)) or free_port()
    env = {**os.environ, "LIQ_DATA": str(world), "LIQ_SERVE_PORT": str(port), **more}
    process = subprocess.Popen([sys.executable, "-m", "liq", "serve"], env=env, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            for _ in range(START_S * 10):
                try:
                    client.get("/openapi.json")
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield Served(world, process, client)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def served(served_world: Path) -> Iterator[Served]:
    """The service of that world, with short deadlines."""
    with service(served_world, LIQ_SERVE_SQL_S="8", LIQ_SERVE_SQL_MB="400") as running:
        yield running


@pytest.fixture(scope="session")
def ask(served: Served) -> httpx.Client:
    """What asks the service."""
    return served.client
