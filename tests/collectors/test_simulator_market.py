"""The simulated market without servers: seeded, consistent, and shown on the feeds as the venues show it."""

import math
from collections import Counter

import pytest

from collectors.simulator.contracts import COINS
from collectors.simulator.history import HOUR_MS, MINUTE_MS
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.listing import listed
from collectors.simulator.market import Market
from collectors.simulator.script import Phases
from collectors.simulator.throttles import Batches, LargestPerSecond, Late

START = 1_795_000_000_123
ALL = [coin.name for coin in COINS]


def run(
    seed: int = 7, phases: Phases | None = None, coins: list[str] | None = None, step: int = 1000
) -> tuple[Market, list[Liquidation]]:
    market = Market(seed, listed(coins or ALL, START), phases or Phases(), START)
    happened: list[Liquidation] = []
    for to in range(START, START + market.script.phases.length_ms + 30_000, step):
        happened += market.advance(to)
    return market, happened


def told(liquidations: list[Liquidation]) -> list[tuple[object, ...]]:
    return [(x.contract.symbol, x.ts, x.position, x.qty, x.fill, x.bankruptcy, x.mark) for x in liquidations]


def test_the_same_seed_gives_the_same_market_however_it_is_advanced() -> None:
    one, liquidations = run(seed=3, step=1000)
    other, again = run(seed=3, step=370)
    assert told(liquidations)[:3000] == told(again)[:3000]
    until = min(one.now, other.now)
    assert one.history.price(COINS[0], until) == other.history.price(COINS[0], until)
    assert told(run(seed=4)[1]) != told(liquidations)


def test_every_venue_lists_linear_inverse_usdc_and_delivery_contracts() -> None:
    contracts = listed(ALL, START)
    symbols = {c.symbol for c in contracts}
    assert {"1000PEPEUSDT", "PEPE-USDT-SWAP", "BTCUSD_PERP", "BTCUSD", "BTC-USD-SWAP", "BTCUSDC", "BTCPERP"} <= symbols
    assert {
        "BTCUSDT_261225",
        "BTCUSD_261225",
        "BTCUSDT-25DEC26",
        "BTCUSDZ26",
        "BTC-USDT-261225",
        "BTC-USD-261225",
    } <= symbols
    assert Counter(c.venue for c in contracts) == {"binance": 30, "bybit": 30, "okx": 30}
    with pytest.raises(ValueError, match="NOCOIN"):
        listed(["NOCOIN"], START)


def test_prices_open_interest_and_funding_fall_together_in_the_cascade() -> None:
    market = Market(7, listed(ALL, START), Phases(calm_s=60, cascade_s=60, aftermath_s=60), START)
    bitcoin = market.contracts[0]
    quote = market.quotes[bitcoin]
    market.advance(START + 60_000)
    price, interest, funding = quote.index, quote.open_interest, quote.funding
    market.advance(START + 120_000)
    assert quote.index < price * 0.92
    assert quote.open_interest < interest * 0.9
    assert quote.funding < funding
    bottom = quote.index
    market.advance(START + 180_000)
    assert quote.index > bottom


def test_two_thousand_liquidations_of_the_burst_are_visible_on_the_feeds() -> None:
    phases = Phases()
    _, happened = run(phases=phases)
    start, end = (START + ms for ms in phases.burst_ms)
    assert end - start == 10_000
    windows, visible = LargestPerSecond(), 0
    for one in happened:
        if one.contract.venue == "binance":
            windows.offer(one)
        elif start <= one.ts < end:
            visible += 1
    shown = [one for _, one in windows.due(START + 10**9)]
    in_burst = [one for one in shown if start <= one.ts < end]
    assert visible + len(in_burst) == phases.burst
    assert len(in_burst) > 100
    assert sum(one.position == "long" for one in happened if start <= one.ts < end) > 1800


def test_the_side_agrees_with_the_price_move() -> None:
    market = Market(5, listed(ALL, START), Phases(calm_s=300, trickle=20), START)
    agree = total = 0
    for to in range(START + 1000, START + 300_000, 100):
        trends = {contract.coin.name: market.quotes[contract].trend for contract in market.contracts}
        for one in market.advance(to):
            agree += (one.position == "long") == (trends[one.contract.coin.name] < 0)
            total += 1
    assert total > 3000
    assert agree / total > 0.75


def test_fills_lie_between_mark_and_bankruptcy_price_and_sizes_are_whole_steps() -> None:
    for one in run()[1]:
        mark, fill, bankruptcy = float(one.mark), float(one.fill), float(one.bankruptcy)
        assert mark > fill > bankruptcy if one.position == "long" else mark < fill < bankruptcy
        assert math.isclose(float(one.qty) / one.contract.step, round(float(one.qty) / one.contract.step), abs_tol=1e-6)
        assert float(one.qty) > 0
        assert 0 < one.usd < 6e6 + one.contract.step * one.contract.size * float(one.shown_price)


def test_usd_and_coins_follow_the_contract() -> None:
    by_symbol = {
        c.symbol: c for c in listed(ALL, START) if c.symbol in ("BTCUSD_PERP", "BTC-USDT-SWAP", "1000PEPEUSDT")
    }
    inverse = Liquidation(by_symbol["BTCUSD_PERP"], START, "long", "3", "50000.0", "49000.0", "50010.0")
    assert (inverse.usd, inverse.qty_base) == (300.0, 0.006)
    contracts = Liquidation(by_symbol["BTC-USDT-SWAP"], START, "short", "12.5", "1", "1", "60000.0")
    assert (contracts.usd, contracts.qty_base) == (pytest.approx(7500.0), 0.125)
    pepe = Liquidation(by_symbol["1000PEPEUSDT"], START, "long", "2000", "0.0085", "0.0084", "0.0086")
    assert (pepe.usd, pepe.qty_base) in [(pytest.approx(17.0), 2_000_000), (pytest.approx(16.8), 2_000_000)]


def test_binance_shows_the_largest_of_a_second_that_starts_with_the_first() -> None:
    contract = listed(["BTC"], START)[0]
    windows = LargestPerSecond()
    sizes = [(0, "1"), (400, "5"), (999, "2"), (1000, "3")]
    for at, qty in sizes:
        windows.offer(Liquidation(contract, START + at, "long", qty, "60000.0", "59000.0", "60000.0"))
    assert [(closes - START, one.qty) for closes, one in windows.due(START + 1500)] == [(1000, "5")]
    assert windows.pending == 1
    assert [(closes - START, one.qty) for closes, one in windows.due(START + 2000)] == [(2000, "3")]


def test_bybit_batches_by_symbol_and_okx_shows_late_ones_out_of_order() -> None:
    contract = next(c for c in listed(["BTC"], START) if c.venue == "bybit")
    batches, late = Batches(), Late()
    ones = [Liquidation(contract, START + at, "long", "1", "1", "1", "1") for at in (0, 10, 20)]
    batches.due(START)
    for one, delay in zip(ones, (5000, 100, 100), strict=True):
        batches.offer(one)
        late.offer(one, delay)
    assert batches.due(START + 100) == []
    assert batches.due(START + 500) == [ones]
    assert late.due(START + 200) == ones[1:]
    assert late.due(START + 5000) == ones[:1]


def test_some_bybit_liquidations_are_identical_twins() -> None:
    counted = Counter(told([x for x in run()[1] if x.contract.venue == "bybit"]))
    assert sum(count == 2 for count in counted.values()) > 5


def test_wide_candles_are_the_union_of_their_minutes() -> None:
    market, _ = run(phases=Phases(calm_s=200, cascade_s=60, aftermath_s=60))
    contract, now, history = next(c for c in market.contracts if c.coin == COINS[1]), market.now, market.history
    for back in range(3):
        start = now - now % HOUR_MS - back * HOUR_MS
        hour = history.candle(contract, "trade", start, HOUR_MS, now)
        minutes = [
            history.candle(contract, "trade", ts, MINUTE_MS, now)
            for ts in range(start, min(start + HOUR_MS, now), MINUTE_MS)
        ]
        assert hour.open == minutes[0].open
        assert hour.close == minutes[-1].close
        assert hour.high == max(m.high for m in minutes)
        assert hour.low == min(m.low for m in minutes)
        assert hour.coins == pytest.approx(sum(m.coins for m in minutes))


def test_a_settlement_that_passes_is_in_the_history_at_the_rate_last_shown() -> None:
    start = 1_795_392_000_000 - 30_000
    market = Market(7, listed(["BTC"], start), Phases(), start)
    contract = market.contracts[0]
    market.advance(start + 29_900)
    shown, paid_at = market.quotes[contract].funding, market.quotes[contract].next_funding_ms
    assert paid_at == 1_795_392_000_000
    market.advance(start + 31_000)
    settled = market.history.settlements(contract, start - 9 * HOUR_MS, market.now)
    assert [s.ts for s in settled] == [paid_at - 8 * HOUR_MS, paid_at]
    assert settled[-1].rate == pytest.approx(shown, abs=2e-5)
    assert market.quotes[contract].next_funding_ms == paid_at + 8 * HOUR_MS
