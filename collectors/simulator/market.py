"""One market behind all venues: prices, open interest, funding and liquidations that move together.

Pure and seeded: no clock, no I/O. `advance` takes the time; the same seed, contracts, phases and start give the same market
whatever the steps it is advanced by.
"""

import math
import random
from collections.abc import Sequence

from collectors.simulator.contracts import Coin, Contract
from collectors.simulator.history import MINUTE_MS, History, Settlement, funding_of
from collectors.simulator.liquidation import Liquidation, Position
from collectors.simulator.script import Phase, Phases, Script, weight

STEP_MS = 100
NEVER_MS = 1 << 60
SECOND_MS = 1000
LARGEST_USD = 5e6
LARGEST_SHARE = 0.02
"""Of a contract's open interest, in one liquidation."""
USUAL_OI = 420.0
"""Million USD a venue: the coin whose liquidations are of the phase's size."""
CHANCE_OF_TWIN = 0.03
HOTTEST = 0.7


class _Coin:
    """`trend`: log return of the last few seconds, fading."""

    def __init__(self, coin: Coin) -> None:
        self.coin = coin
        self.price = coin.price
        self.trend = 0.0
        self.size = math.sqrt(coin.oi / USUAL_OI)
        self.margin = 0.004 + 0.003 * coin.own


class Quote:
    """A contract now: `mark`, `index` and `last` in USD per coin, one side's open interest in coins, `funding` the
    running estimate for the interval that ends at `next_funding_ms` (both 0 for a delivery contract).

    `premium`: mark over index minus one; `basis`: last over mark minus one. Both change with the second, so mark and last
    move with the index in between.
    """

    def __init__(self, coin: _Coin, premium: float, basis: float, open_interest: float, funding: float) -> None:
        self._coin = coin
        self.premium = premium
        self.average_premium = premium
        self.usual_premium = premium
        self.basis = basis
        self.open_interest = open_interest
        self.interest_drift = 0.0
        self.funding = funding
        self.next_funding_ms = 0

    @property
    def index(self) -> float:
        return self._coin.price

    @property
    def mark(self) -> float:
        return self._coin.price * (1 + self.premium)

    @property
    def last(self) -> float:
        return self.mark * (1 + self.basis)

    @property
    def trend(self) -> float:
        return self._coin.trend


class Market:
    """`now`: how far it has been advanced, UTC ms, in steps that no minute's end divides. `quotes`: every contract's Quote."""

    def __init__(self, seed: int, contracts: Sequence[Contract], phases: Phases, start_ms: int) -> None:
        self.contracts = list(contracts)
        self.start_ms = start_ms
        self.script_ms = start_ms
        """When the script begins."""
        self.now = start_ms - start_ms % STEP_MS
        self.history = History(seed, self.contracts, start_ms)
        self._random = random.Random(f"{seed}/market")
        self.script = Script(phases, self.contracts, random.Random(f"{seed}/burst"))
        self._coins = {c.coin.name: _Coin(c.coin) for c in self.contracts}
        self._weights = [weight(c) for c in self.contracts]
        self._planned = 0
        self._last_of_burst: dict[str, Liquidation] = {}
        self._quiet = False
        self.quotes = {c: self._quote(c) for c in self.contracts}
        self._heat = 1.0
        self._tape = self.history.record({name: coin.price for name, coin in self._coins.items()}, self.quotes)
        self._tend()

    @property
    def phase(self) -> Phase:
        """The phase that rules now."""
        return self.script.at(self.now - self.script_ms)

    def wait(self) -> None:
        """Let the market be calm, and the script begin when `begin` says so."""
        self.script_ms = NEVER_MS

    def begin(self) -> None:
        """Let the script begin now, unless it has already."""
        self.script_ms = min(self.script_ms, self.now)

    def quiet(self) -> None:
        """Let no further liquidation happen; prices go on."""
        self._quiet = True

    def advance(self, to_ms: int) -> list[Liquidation]:
        """Let the market run to `to_ms` in steps of 100 ms; return the liquidations on the way, in order of time."""
        happened: list[Liquidation] = []
        while self.now + STEP_MS <= to_ms:
            happened += self._step()
        return happened

    def _quote(self, contract: Contract) -> Quote:
        history, interval = self.history, contract.interval_ms
        premium, basis = (usual(contract, self.start_ms) for usual in (history.usual_premium, history.usual_basis))
        coins = history.open_interest(contract, self.start_ms)
        funding = funding_of(premium, interval) if interval else 0.0
        quote = Quote(self._coins[contract.coin.name], premium, basis, coins, funding)
        quote.next_funding_ms = (self.start_ms // interval + 1) * interval if interval else 0
        return quote

    def _step(self) -> list[Liquidation]:
        phase = self.phase
        if self.now % SECOND_MS == 0:
            self._move_states(phase)
        self._move_prices(phase)
        elapsed = self.now - self.script_ms
        happened = [] if self._quiet else sorted(self._liquidations(phase, elapsed), key=lambda one: one.ts)
        for one in happened:
            self._take(one)
        self.now += STEP_MS
        if self.now % MINUTE_MS == 0:
            self._turn_minute()
        return happened

    def _move_prices(self, phase: Phase) -> None:
        seconds = STEP_MS / 1000
        gauss, vol = self._random.gauss, phase.vol * self._heat * math.sqrt(seconds)
        common = phase.drift * seconds + gauss(0, vol)
        for name, state in self._coins.items():
            move = state.coin.beta * common + gauss(0, state.coin.own * vol)
            state.price *= math.exp(move)
            state.trend = 0.98 * state.trend + move
            self._tape.price(name, state.price)

    def _move_states(self, phase: Phase) -> None:
        self._tape.flush()
        gauss, stressed = self._random.gauss, phase.name in ("cascade", "aftermath")
        for contract, quote in self.quotes.items():
            target = quote.usual_premium + (phase.premium if stressed else 0.0)
            quote.premium += 0.15 * (target - quote.premium) + gauss(0, 2e-5)
            quote.average_premium += 0.03 * (quote.premium - quote.average_premium)
            quote.basis = 0.8 * quote.basis + gauss(0, 3e-5)
            quote.open_interest *= math.exp(phase.oi_drift + quote.interest_drift + gauss(0, 2e-5))
            if contract.interval_ms:
                quote.funding = funding_of(quote.average_premium, contract.interval_ms)
        self._tape.moved()

    def _take(self, one: Liquidation) -> None:
        """Let a liquidation close its position, at a price that is traded."""
        scale = one.contract.scale
        self.quotes[one.contract].open_interest -= one.qty_base
        self._tape.liquidation(one.contract, one.qty_base, float(one.fill) / scale, float(one.mark) / scale)

    def _turn_minute(self) -> None:
        self._tape.turn()
        for contract, quote in self.quotes.items():
            if contract.interval_ms and self.now >= quote.next_funding_ms:
                self._tape.settled[contract].append(Settlement(quote.next_funding_ms, quote.funding, quote.mark))
                quote.next_funding_ms += contract.interval_ms
        self._tend()

    def _tend(self) -> None:
        """Let volatility, premium and open interest tend to where they do in this minute, as they did in the past."""
        self._heat = math.exp(min(HOTTEST, max(-HOTTEST, self.history.usual_heat(self.now))))
        for contract, quote in self.quotes.items():
            quote.usual_premium = self.history.usual_premium(contract, self.now)
            quote.interest_drift = self.history.interest_drift(contract, self.now) / 60

    def _liquidations(self, phase: Phase, elapsed: int) -> list[Liquidation]:
        if self.script.reserved(elapsed):
            return self._from_plan(phase, elapsed)
        happened: list[Liquidation] = []
        for _ in range(self._poisson(phase.rate * STEP_MS / 1000)):
            contract = self._random.choices(self.contracts, self._weights)[0]
            ts = self.now + self._random.randrange(STEP_MS)
            size = phase.size * self._random.lognormvariate(0, 1.4)
            happened.append(self._liquidation(contract, ts, size, self._position(phase, contract)))
            if contract.shows.twins and self._random.random() < CHANCE_OF_TWIN:
                happened.append(happened[-1])
        return happened

    def _from_plan(self, phase: Phase, elapsed: int) -> list[Liquidation]:
        burst, happened = self.script.burst, []
        while self._planned < len(burst) and burst[self._planned].at_ms < elapsed + STEP_MS:
            planned = burst[self._planned]
            self._planned += 1
            if planned.twin and (last := self._last_of_burst.get(planned.contract.venue)):
                happened.append(last)
                continue
            ts = self.script_ms + planned.at_ms
            one = self._liquidation(
                planned.contract, ts, phase.size * planned.size, self._position(phase, planned.contract)
            )
            happened.append(one)
            self._last_of_burst[planned.contract.venue] = one
        return happened

    def _position(self, phase: Phase, contract: Contract) -> Position:
        trend = self._coins[contract.coin.name].trend
        longs = phase.longs if phase.longs is not None else 0.9 if trend < 0 else 0.1
        return "long" if self._random.random() < longs else "short"

    def _liquidation(self, contract: Contract, ts: int, usd: float, position: Position) -> Liquidation:
        """Return one at the mark price of now: it fills a little beyond, and may fill up to its bankruptcy price."""
        away = -1 if position == "long" else 1
        state, quote = self._coins[contract.coin.name], self.quotes[contract]
        mark = quote.mark
        fill = mark * (1 + away * self._random.uniform(0.0001, 0.0015))
        bankruptcy = fill * (1 + away * self._random.uniform(0.5, 1.5) * state.margin)
        most = min(LARGEST_USD, LARGEST_SHARE * quote.open_interest * mark)
        qty = contract.qty_text(contract.units(min(usd * state.size, most), fill))
        prices = [contract.price_text(price) for price in (fill, bankruptcy, mark)]
        return Liquidation(contract, ts, position, qty, *prices)

    def _poisson(self, mean: float) -> int:
        limit, product, count = math.exp(-mean), self._random.random(), 0
        while product > limit:
            product *= self._random.random()
            count += 1
        return count
