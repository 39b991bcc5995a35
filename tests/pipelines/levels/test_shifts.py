"""A price that lies beyond the market is brought back to where the liquidation began, before a map is judged by it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.derive.levels.bars import contracts, realised
from pipelines.derive.levels.parameters import PARAMETERS
from tests.pipelines.levels.test_stored import whole
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.lake import Lake
from warehouse.writer import append

NOON = datetime(2026, 11, 18, 12)  # noqa: DTZ001 the warehouse's times are UTC without a zone


def contract(venue: str, symbol: str, base: str) -> dict[str, Any]:
    return {"venue": venue, "symbol": symbol, "instrument": f"{base}/USDT:USDT", "base": base, "quote": "USDT",
            "settle": "USDT", "contract": "linear", "kind": "perpetual", "multiplier": 1,
            "valid_from": NOON - timedelta(days=1)}  # fmt: skip


@pytest.fixture
def warehouse(empty_world: Path, tmp_path: Path) -> Iterator[Lake]:
    copied(empty_world, tmp_path)
    listed = [
        contract("okx", "BTC-USDT-SWAP", "BTC"),
        contract("okx", "X-USDT-SWAP", "X"),
        contract("binance", "BTCUSDT", "BTC"),
    ]
    with lake.open(tmp_path, read_only=False) as opened:
        append(opened, {"instruments": whole("instruments", pl.DataFrame(listed))})
        yield opened


@pytest.mark.parametrize(
    ("venue", "symbol", "kind", "shift"),
    [
        ("okx", "BTC-USDT-SWAP", "okx_bkPx", 0.0038),
        ("okx", "X-USDT-SWAP", "okx_bkPx", 0.00475),
        ("binance", "BTCUSDT", "fill_average", 0.0),
    ],
)
def test_what_was_liquidated_lies_where_the_market_was(
    warehouse: Lake, venue: str, symbol: str, kind: str, shift: float
) -> None:
    sent = {"long": 100.0 * (1 - shift), "short": 100.0 * (1 + shift)}
    rows = [
        {"venue": venue, "symbol": symbol, "ts_event": NOON, "position_side": side, "price": price, "price_kind": kind,
         "notional_usd": 7.0, "event_key": n, "occurrence": 0, "completeness": "partial"}
        for n, (side, price) in enumerate(sent.items())
    ]  # fmt: skip
    append(warehouse, {"liquidations": whole("liquidations", pl.DataFrame(rows))})
    listed = contracts(warehouse, NOON, PARAMETERS)
    rates = listed.select("contract", mmr=pl.lit(0.01))
    found = realised(warehouse, listed, rates, NOON, NOON + timedelta(minutes=1))
    assert found["price"].to_list() == pytest.approx([100.0, 100.0])
    assert found["usd"].to_list() == [7.0, 7.0]
