"""In every minute of a simulated stretch, what the three venues show of the market agrees with itself."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from collectors.simulator.contracts import Contract
from collectors.simulator.history import MINUTE_MS, funding_of
from collectors.simulator.script import Phases
from tests.collectors.simulated_minutes import Bar, Minute, Stretch

START = 1_795_000_020_000 - MINUTE_MS // 2
PHASES = Phases(calm_s=120, cascade_s=75, aftermath_s=105, burst_s=20, burst=900, trickle=6)
COINS = ("BTC", "ETH", "PEPE", "AAVE")
ORDINARY = 0.014
"""The part of open interest that may come in a minute beside what is liquidated, when the market comes back."""


@pytest.fixture(scope="module")
def stretch() -> Stretch:
    return Stretch(3, COINS, PHASES, START)


def of_minutes(stretch: Stretch) -> Iterator[tuple[Contract, int, Minute, Bar]]:
    """Yield every whole minute of every contract, with its closed candle."""
    for contract, start, minute in stretch.whole():
        closed = [bar for bar in minute.bars if bar.closed]
        assert closed, (contract.symbol, start)
        yield contract, start, minute, closed[-1]


def test_every_minute_of_every_contract_is_there(stretch: Stretch) -> None:
    found = list(of_minutes(stretch))
    assert len(found) == 4 * len(stretch.market.contracts)
    assert {contract.venue for contract, *_ in found} == {"binance", "bybit", "okx"}
    assert all(len(minute.bars) > 50 and minute.marks and minute.indexes for _, _, minute, _ in found)
    assert sum(len(minute.happened) for _, _, minute, _ in found) > 900


def test_a_closed_candle_holds_every_running_one(stretch: Stretch) -> None:
    for contract, start, minute, closed in of_minutes(stretch):
        for bar in minute.bars:
            assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            assert (bar.open, bar.high <= closed.high, bar.low >= closed.low) == (closed.open, True, True), (
                contract.symbol
            )
            assert bar.volume <= closed.volume
        for one, next_ in pairwise(minute.bars):
            assert next_.high >= one.high
            assert next_.low <= one.low
            assert next_.volume >= one.volume
        assert {bar.start for bar in minute.bars} == {start}


def test_a_candle_opens_where_the_last_one_closed_and_closes_near_the_mark(stretch: Stretch) -> None:
    for contract, start, minute, closed in of_minutes(stretch):
        before = [bar for bar in stretch.minutes[contract][start - MINUTE_MS].bars if bar.closed]
        assert not before or closed.open == before[-1].close
        assert closed.close == pytest.approx(minute.marks[-1], rel=1e-3)


@pytest.mark.parametrize("kind", ["trade", "mark", "index"])
def test_what_was_shown_lies_in_the_candles_that_rest_serves(stretch: Stretch, kind: str) -> None:
    served = {contract: stretch.rest(contract, kind) for contract in stretch.market.contracts}
    for contract, start, minute, closed in of_minutes(stretch):
        bar = served[contract][start]
        shown = {"trade": minute.lasts, "mark": minute.marks, "index": minute.indexes}[kind]
        assert all(bar.low <= price <= bar.high for price in shown), (contract.symbol, start)
        if kind == "trade":
            assert bar == closed, "what REST serves is what was pushed, and stays so"
        last = stretch.minutes[contract][start].marks[-1] if kind == "mark" else bar.close
        assert bar.close == pytest.approx(last, rel=1e-3)


def test_liquidations_trade_inside_their_minute_and_go_bankrupt_a_little_beyond(stretch: Stretch) -> None:
    marks = {contract: stretch.rest(contract, "mark") for contract in stretch.market.contracts}
    for contract, start, minute, closed in of_minutes(stretch):
        mark = marks[contract][start]
        for one in minute.happened:
            bankruptcy = float(one.bankruptcy)
            assert closed.low <= float(one.fill) <= closed.high
            assert mark.low <= float(one.mark) <= mark.high
            if one.position == "long":
                assert 0.97 * mark.low < bankruptcy < float(one.fill)
            else:
                assert float(one.fill) < bankruptcy < 1.03 * mark.high


def test_what_is_liquidated_is_traded(stretch: Stretch) -> None:
    for contract, _, minute, closed in of_minutes(stretch):
        assert closed.volume >= sum(float(one.qty) for one in minute.happened) * (1 - 1e-9), contract.symbol


def test_open_interest_falls_by_what_is_liquidated(stretch: Stretch) -> None:
    history, cascade = stretch.market.history, range(START + 120_000 - MINUTE_MS // 2, START + 195_000 - MINUTE_MS // 2)
    for contract, start, minute, _ in of_minutes(stretch):
        before, after = (history.open_interest(contract, ts) for ts in (start, start + MINUTE_MS))
        liquidated = sum(one.qty_base for one in minute.happened)
        assert after <= before * (1 + ORDINARY) - liquidated, (contract.symbol, start)
        assert history.liquidated(contract, start) == pytest.approx(liquidated)
        assert start not in cascade or after < before * 0.95 - liquidated
        if minute.interest:
            mark = history.mark(contract, start + MINUTE_MS)
            assert minute.interest[-1] == pytest.approx(contract.units(after * mark, mark), rel=2e-3)


def test_funding_is_that_of_the_premium_and_has_its_sign(stretch: Stretch) -> None:
    history, seen = stretch.market.history, set()
    for contract, start, minute, _ in of_minutes(stretch):
        times = (start - MINUTE_MS, start, start + MINUTE_MS)
        premiums = [history.premium(contract, max(ts, START)) for ts in times]
        low, high = (funding_of(each, contract.interval_ms) for each in (min(premiums) - 3e-4, max(premiums) + 3e-4))
        assert all(low - 1e-8 <= rate <= high + 1e-8 for rate in minute.rates), (contract.symbol, start)
        if minute.rates and max(premiums[1:]) < -7e-4:
            assert minute.rates[-1] < 0
            seen.add(contract)
        if minute.rates and min(premiums[1:]) > 1e-4:
            assert minute.rates[-1] > 0
    assert seen == {contract for contract in stretch.market.contracts if contract.interval_ms}


def test_the_mark_is_over_or_under_the_index_as_the_premium_says(stretch: Stretch) -> None:
    history = stretch.market.history
    for contract, start, minute, _ in of_minutes(stretch):
        premium = history.premium(contract, start + MINUTE_MS)
        assert minute.marks[-1] / minute.indexes[-1] - 1 == pytest.approx(premium, abs=3e-4), contract.symbol
