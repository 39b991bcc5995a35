"""`liq position` in a world that may have a warehouse."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from liq import app
from pipelines.columns.contracts import static_tiers
from pipelines.columns.contracts.instruments import Instruments
from tests.warehouse.made import copied
from warehouse import lake, writer
from warehouse.lake import Lake
from warehouse.tables import TABLES

LONG = ("long", "BTC/USDT:USDT", "--entry", "67000", "--size", "1", "--leverage", "10")


Liq = Callable[..., Result]


@pytest.fixture
def liq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Liq:
    """Run `liq position` in a world that may or may not have a warehouse."""
    monkeypatch.setenv("LIQ_DATA", str(tmp_path / "world"))
    return lambda *words: CliRunner().invoke(app, ["position", *words])


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def rows(table: str, *given: dict[str, Any]) -> pl.DataFrame:
    wanted = TABLES[table].schema
    return pl.DataFrame([dict.fromkeys(wanted) | row for row in given], wanted)


@pytest.fixture
def world(empty_world: Path, tmp_path: Path, liq: Liq) -> Iterator[Lake]:
    """A warehouse that knows one contract of Binance, and one of OKX of ten coins a contract."""
    copied(empty_world, tmp_path / "world")
    own = {"venue": "binance", "symbol": "BTCUSDT", "instrument": "BTC/USDT:USDT", "base": "BTC"}
    pepe = {
        "venue": "okx",
        "symbol": "PEPE-USDT-SWAP",
        "instrument": "PEPE/USDT:USDT",
        "base": "PEPE",
        "multiplier": 1000,
    }
    with lake.open(tmp_path / "world", read_only=False) as warehouse:
        found = warehouse.connection.execute("SELECT as_of()").fetchone()
        assert found
        now = found[0] - timedelta(minutes=3)
        heard = {"valid_from": now - timedelta(days=1), "ts_recv": now, "source": "live"}
        contract = heard | {"contract": "linear", "kind": "perpetual", "multiplier": 1, "settle": "USDT", "quote": "USDT",
                            "status": "TRADING"}  # fmt: skip
        seen = {"ts": now, "ts_event": now, "source": "live"}
        writer.append(warehouse, {
            "instruments": rows("instruments", contract | own | {"contract_size": 1.0, "family": "BTCUSDT"},
                                contract | pepe | {"contract_size": 10.0, "family": "PEPE-USDT"}),
            "leverage_tiers": pl.concat([static_tiers.with_static(Instruments(), now)[1], rows(
                "leverage_tiers", heard | {"venue": "okx", "symbol": "PEPE-USDT", "tier": 1, "floor": 0.0, "unit": "contract",
                                           "maintenance_margin_rate": 0.01, "max_leverage": 50.0})]),
            "mark_prices": rows("mark_prices", own | seen | {"mark_price": 68_000.0, "multiplier": 1},
                                pepe | seen | {"mark_price": 0.00002}),
            "funding_rates": rows("funding_rates", own | seen | {
                "funding_rate": 0.0002, "interval_hours": 8.0, "next_funding_ts": now + timedelta(hours=2)}),
        })  # fmt: skip
        yield warehouse


def moment(world: Lake, minutes_ago: float) -> datetime:
    found = world.connection.execute("SELECT as_of()").fetchone()
    assert found
    at: datetime = found[0]
    return at - timedelta(minutes=minutes_ago)


def keep(world: Lake, given: list[dict[str, Any]]) -> None:
    writer.replace(world, "liquidation_levels", rows("liquidation_levels", *given), "FALSE")


def levels(world: Lake, minutes_ago: float) -> None:
    """A map made at 68,000, in bins of 50: longs to 67,000, most at 64,250 to 64,450; most shorts at 73,000 to 78,000."""
    spread = [("long", number, 5.0) for number in range(1000, 1340) if number not in range(1285, 1289)]
    dense = [("long", number, 6_250.0) for number in range(1285, 1289)]
    above = [("short", number, 2_500.0 if 1460 <= number < 1560 else 5.0) for number in range(1380, 1800)]
    at = moment(world, minutes_ago)
    keep(world, [
        {"ts": at, "base": "BTC", "position_side": side, "leverage": leverage, "bin": number, "price": 50.0 * number + 25,
         "price_low": 50.0 * number, "price_high": 50.0 * number + 50, "price_now": 68_000.0,
         "usd_estimated": usd, "distance": (50 * number + 25) / 68_000 - 1}
        for side, number, usd in [*spread, *dense, *above]
        for leverage in (10.0, 11.0)
    ])  # fmt: skip


def mark(world: Lake, price: float) -> None:
    at = moment(world, 0.1)
    seen = {"venue": "binance", "symbol": "BTCUSDT", "instrument": "BTC/USDT:USDT", "base": "BTC", "multiplier": 1}
    given = rows("mark_prices", seen | {"ts": at, "ts_event": at, "mark_price": price, "source": "live"})
    writer.append(world, {"mark_prices": given})
