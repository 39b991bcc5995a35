"""What silences are judged by, read back from the lake: what channels brought, and what prices did meanwhile."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.derive.coverage.cover import cover
from pipelines.derive.coverage.expectation import DAY
from pipelines.derive.coverage.past import Cells, Prices
from pipelines.derive.coverage.silence_rules import RULE
from tests.pipelines.heard import TEN, at, brings, commit, event, heard, liquidation
from warehouse import lake
from warehouse.lake import Lake

BYBIT = ("bybit", "allLiquidation")
SOCKET = "bybit-linear-18f00-aa01"
START = TEN.replace(hour=0)
YESTERDAY = -24 * 60
"""Minutes from ten o'clock."""


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as opened:
        yield opened


def _came(coin: str, minute: float, **more: Any) -> dict[str, Any]:
    return liquidation("bybit", f"{coin}USDT", at(minute), "all", base=coin, **more)


def _prices(coin: str, first: float, *prices: float) -> list[dict[str, Any]]:
    """Return a mark price each minute from so many minutes after ten."""
    return [
        {
            "venue": "bybit", "symbol": f"{coin}USDT", "base": coin, "ts": at(first + n), "ts_event": at(first + n),
            "ts_recv": at(first + n), "mark_price": price,
        }
        for n, price in enumerate(prices)
    ]  # fmt: skip


def test_a_coin_counts_once_a_minute_and_what_was_filled_in_later_does_not_count(warehouse: Lake) -> None:
    rows = [
        _came("BTC", 0), _came("BTC", 0.5), _came("ETH", 0.2), _came("BTC", 2),
        _came("BTC", 1, source="import"), liquidation("okx", "BTC-USDT-SWAP", at(1), "partial", base="BTC"),
    ]  # fmt: skip
    commit(warehouse, at(3), liquidations=rows)
    cells = Cells(warehouse, START, DAY)
    assert cells.brought(*BYBIT)[600:603].tolist() == [2, 0, 1]
    assert cells.days(*BYBIT, 600, 7) == {}, "there is no whole day before"
    assert len(cells.coins) == 2
    assert cells.brought("bybit", "none of these").sum() == 0
    (btc,) = {coin for coin in cells.coins if cells.brought(*BYBIT, {coin})[602]}
    assert cells.brought(*BYBIT, {btc})[600:603].tolist() == [1, 0, 1]
    assert cells.brought("okx", "liquidation-orders", {btc})[600:603].tolist() == [0, 1, 0]


def test_a_move_of_three_per_cent_within_ten_minutes_is_found_and_a_smaller_or_slower_one_is_not(
    warehouse: Lake,
) -> None:
    past = [_came(coin, YESTERDAY + n) for coin in ("BTC", "ETH", "SOL", "XRP") for n in range(50)]
    prices = [
        *_prices("BTC", 0, 100, 100, 96.9, 96.9), *_prices("ETH", 0, 100, 101, 102, 102.9),
        *_prices("SOL", 0, *(100 * 1.0025**n for n in range(13))), *_prices("ADA", 0, 100, 50),
        *_prices("XRP", -2, 100, 90, 90),
    ]  # fmt: skip
    commit(warehouse, at(15), liquidations=past, mark_prices=prices)
    start = START - timedelta(days=1)
    cells = Cells(warehouse, start, 2 * DAY)
    silent = (DAY + 600, DAY + 615)
    a_day = cells.days(*BYBIT, silent[0], 7)
    assert sorted(a_day.values()) == [50, 50, 50, 50]
    moves = list(Prices(warehouse, start, cells.coins, RULE).moves(silent, a_day))
    half = RULE.price_minutes / 2
    assert {(one.coin, one.since, one.at, one.expected) for one in moves if one.at == DAY + 602} == {
        ("BTC", DAY + 601, DAY + 602, half)
    }
    assert {one.coin for one in moves} == {"BTC"}, "XRP moved before the silence, ADA never had a liquidation"
    assert list(Prices(warehouse, start, cells.coins, RULE).moves(silent, {})) == []


def test_prices_that_moved_are_in_the_reason_of_a_silence(warehouse: Lake) -> None:
    coins = [f"C{n}" for n in range(40)]
    past = [_came(coin, YESTERDAY + n) for coin in coins for n in range(0, 600, 4)]
    told = [event(SOCKET, "subscribed", at(YESTERDAY), channels=brings(BYBIT[1]))]
    today = [_came(coin, n) for coin in coins for n in range(-60, 0, 4)]
    commit(warehouse, at(0), [heard(SOCKET, at(YESTERDAY), at(0))], collector_events=told, liquidations=past + today)
    moving = [row for coin in coins[:3] for row in _prices(coin, 0, 100, 100, 95, 95, 95)]
    commit(warehouse, at(20), [heard(SOCKET, at(0), at(20))], mark_prices=moving)
    cover(warehouse, at(20) + timedelta(seconds=10))
    state, reason = warehouse.connection.execute(
        "SELECT state, state_reason FROM feed_coverage WHERE minute = ? AND channel = ?", [at(10), BYBIT[1]]
    ).fetchall()[0]
    assert state in ("SUSPECT", "SILENT")
    assert "; prices moved: " in reason
    assert all(coin in reason for coin in coins[:3])
