"""The past of the simulated market: thirty days and more that look like a market's, the same for the same seed."""

import random
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from collectors.simulator.candles import Kind
from collectors.simulator.contracts import COINS, Contract
from collectors.simulator.history import DAY_MS, HOUR_MS, MINUTE_MS, History
from collectors.simulator.listing import listed
from collectors.simulator.market import Market
from collectors.simulator.script import Phases

START = 1_795_000_000_123
MINUTE = START // MINUTE_MS * MINUTE_MS
MONTH = range(MINUTE - 30 * DAY_MS, MINUTE, MINUTE_MS)
SEEDS = (1, 7, 20261118)


@cache
def market(seed: int) -> Market:
    return Market(seed, listed([coin.name for coin in COINS], START), Phases(), START)


def perpetual(coin: str, venue: str = "binance", seed: int = 7) -> Contract:
    found = (c for c in market(seed).contracts if c.coin.name == coin and c.venue == venue)
    return next(c for c in found if not c.inverse and not c.expiry_ms)


def bars(history: History, contract: Contract, kind: Kind = "trade", width: int = MINUTE_MS) -> NDArray[np.float64]:
    """Return open, high, low, close and coins of the last thirty days."""
    first = MONTH[0] - MONTH[0] % width
    return np.array(
        [history.candle(contract, kind, ts, width, START) for ts in range(first, MINUTE - width + 1, width)]
    )


def hourly(coin: str, seed: int) -> NDArray[np.float64]:
    """Return the log returns of a coin's hours."""
    contract, history = perpetual(coin, seed=seed), market(seed).history
    closes = bars(history, contract, width=HOUR_MS)[:, 3]
    return np.diff(np.log(closes))


def falls(seed: int) -> list[int]:
    """Return when half hours began in which BTC fell by 1.5 % or more, apart from each other by half a day."""
    contract, history = perpetual("BTC", seed=seed), market(seed).history
    found: list[int] = []
    for ts in range(MONTH[0], MINUTE - 3 * HOUR_MS, 5 * MINUTE_MS):
        candle = history.candle(contract, "index", ts, HOUR_MS // 2, START)
        if candle.close < 0.985 * candle.open and (not found or ts > found[-1] + 12 * HOUR_MS):
            found.append(ts)
    return found


def test_the_past_is_the_same_for_the_same_seed_whatever_is_asked_first() -> None:
    contract, all_ = perpetual("DOGE"), market(7).contracts
    one, other = (History(7, all_, START) for _ in range(2))
    asked = random.Random(1).sample(range(MONTH[0], MINUTE, MINUTE_MS), 200)
    there = {
        ts: (one.candle(contract, "mark", ts, MINUTE_MS, START), one.open_interest(contract, ts))
        for ts in sorted(asked)
    }
    assert there == {
        ts: (other.candle(contract, "mark", ts, MINUTE_MS, START), other.open_interest(contract, ts)) for ts in asked
    }
    paid = one.settlements(contract, START - 366 * DAY_MS, START)
    assert paid[-50:] == other.settlements(contract, paid[-50].ts, START)
    assert paid[:50] == other.settlements(contract, paid[0].ts, paid[49].ts)
    strange = History(8, all_, START)
    assert strange.candle(contract, "mark", asked[0], MINUTE_MS, START) != there[asked[0]][0]


@pytest.mark.parametrize("kind", ["trade", "mark", "index"])
def test_each_minute_opens_where_the_last_one_closed_up_to_the_live_market(kind: Kind) -> None:
    running = Market(7, listed(["BTC", "PEPE"], START), Phases(calm_s=150), START)
    running.advance(START + 150_000)
    contract = next(c for c in running.contracts if c.coin.name == "PEPE")
    times = range(MINUTE - 2 * DAY_MS, running.now // MINUTE_MS * MINUTE_MS, MINUTE_MS)
    candles = [running.history.candle(contract, kind, ts, MINUTE_MS, running.now) for ts in times]
    assert all(one.close == pytest.approx(two.open, rel=1e-12) for one, two in pairwise(candles))
    assert all(each.low <= min(each.open, each.close) <= max(each.open, each.close) <= each.high for each in candles)


def test_open_interest_premium_and_price_go_on_where_the_past_ends() -> None:
    running = Market(7, listed(["BTC", "SOL"], START), Phases(calm_s=300), START)
    running.advance(START + 200_000)
    history = running.history
    for contract in running.contracts:
        times = range(MINUTE - 3 * MINUTE_MS, MINUTE + 4 * MINUTE_MS, MINUTE_MS)
        interest = [history.open_interest(contract, ts) for ts in times]
        premium = [history.premium(contract, ts) for ts in times]
        price = [history.price(contract.coin, ts) for ts in times]
        assert all(two == pytest.approx(one, rel=0.005) for one, two in pairwise(interest))
        assert all(two == pytest.approx(one, abs=4e-4) for one, two in pairwise(premium))
        assert all(two == pytest.approx(one, rel=0.01) for one, two in pairwise(price))
        assert history.price(contract.coin, MINUTE) == pytest.approx(contract.coin.price)


def test_wide_candles_are_the_union_of_their_minutes_across_the_start() -> None:
    running = Market(7, listed(["ETH"], START), Phases(calm_s=400), START)
    running.advance(START + 300_000)
    contract, history, now = running.contracts[0], running.history, running.now
    for width in (5 * MINUTE_MS, HOUR_MS, DAY_MS):
        start = now - now % width
        minutes = [history.candle(contract, "trade", ts, MINUTE_MS, now) for ts in range(start, now, MINUTE_MS)]
        wide = history.candle(contract, "trade", start, width, now)
        assert wide[:4] == pytest.approx(
            (minutes[0].open, max(m.high for m in minutes), min(m.low for m in minutes), minutes[-1].close)
        )
        assert wide.coins == pytest.approx(sum(m.coins for m in minutes))


@pytest.mark.parametrize("seed", SEEDS)
def test_volatility_clusters_and_is_that_of_a_market(seed: int) -> None:
    """Of 2025's hourly candles: BTC moved 0.47 % an hour, DOGE 0.92 %; a large hour follows a large one (0.2 to 0.3)."""
    moves = {coin: hourly(coin, seed) for coin in ("BTC", "DOGE")}
    assert 0.003 < moves["BTC"].std() < 0.008
    assert 0.006 < moves["DOGE"].std() < 0.016
    for returns in moves.values():
        size = np.abs(returns)
        assert np.corrcoef(size[:-1], size[1:])[0, 1] > 0.1
        assert ((returns - returns.mean()) ** 4).mean() / returns.var() ** 2 > 5, "tails are fat"


@pytest.mark.parametrize("seed", SEEDS)
def test_coins_differ(seed: int) -> None:
    bitcoin = hourly("BTC", seed)
    for coin in COINS:
        if coin.name in ("ETH", "DOGE", "TRX", "WIF"):
            returns = hourly(coin.name, seed)
            beta = np.cov(returns, bitcoin)[0, 1] / bitcoin.var()
            assert beta == pytest.approx(coin.beta, rel=0.35)
            assert 0.3 < np.corrcoef(returns, bitcoin)[0, 1] < 0.97
    contracts = [perpetual(coin.name, seed=seed) for coin in COINS]
    sizes = {each: market(seed).history.open_interest(each, START) * each.coin.price for each in contracts}
    assert max(sizes.values()) > 30 * min(sizes.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_thirty_days_have_cascades_in_which_open_interest_premium_and_volume_go_along(seed: int) -> None:
    found, history = falls(seed), market(seed).history
    assert 3 <= len(found) <= 25
    for contract in (perpetual("BTC", venue, seed) for venue in ("binance", "bybit", "okx")):
        went = [history.open_interest(contract, at + HOUR_MS) / history.open_interest(contract, at) for at in found]
        assert sum(each < 0.985 for each in went) >= len(found) / 3
        assert min(went) < 0.97
        under = [min(history.premiums(contract, at, HOUR_MS, START)) for at in found]
        assert min(under) < -7e-4
        traded = [history.candle(contract, "trade", at, HOUR_MS, START).coins for at in found]
        usual = history.candle(contract, "trade", MONTH[0], 30 * DAY_MS, START).coins / 720
        assert max(traded) > 2 * usual
    assert min(each.rate for each in history.settlements(perpetual("DOGE", seed=seed), MONTH[0], START)) < 0


def test_the_simulation_starts_in_a_calm_hour() -> None:
    for seed in range(30):
        calm = Market(seed, listed(["LTC"], START), Phases(), START)
        candle = calm.history.candle(calm.contracts[0], "index", MINUTE - HOUR_MS, HOUR_MS, START)
        assert candle.high / candle.low < 1.04


def test_a_month_of_one_coin_draws_no_other_coin_and_no_older_day() -> None:
    history = History(7, market(7).contracts, START)
    bars(history, perpetual("SOL"))
    drawn = history._past._moves.cache_info()
    assert drawn.misses == 31
