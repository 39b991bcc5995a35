"""One market behind the three venues: prices, open interest, funding and liquidations that move together.

Pure and seeded: no clock, no I/O. `advance` takes the time; the same seed, coins, phases and start give the same market
whatever the steps it is advanced by.
"""

import math
import random
from collections.abc import Sequence

from collectors.simulator.contracts import Coin, Contract, listed
from collectors.simulator.history import MINUTE_MS, History, Settlement, funding_of
from collectors.simulator.liquidation import Liquidation, Position
from collectors.simulator.script import Phase, Phases, Script, weight

STEP_MS = 100
LARGEST_USD = 5e6
CHANCE_OF_TWIN = 0.03


class _Coin:
    """`trend`: log return of the last few seconds, fading."""

    def __init__(self, coin: Coin) -> None:
        self.coin = coin
        self.price = coin.price
        self.trend = 0.0


class Quote:
    """A contract now: `mark`, `index` and `last` in USD per coin, one side's open interest in coins, `funding` the
    running estimate for the interval that ends at `next_funding_ms` (both 0 for a delivery contract)."""

    def __init__(self, coin: _Coin, premium: float, open_interest: float, funding: float) -> None:
        self._coin = coin
        self.premium = premium
        self.average_premium = premium
        self.open_interest = open_interest
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
        return self.mark * (1 + self._coin.trend / 20)

    @property
    def trend(self) -> float:
        return self._coin.trend


class Market:
    """`now`: how far it has been advanced, UTC ms. `quotes`: every contract's Quote."""

    def __init__(self, seed: int, coins: Sequence[str], phases: Phases, start_ms: int) -> None:
        self.contracts = listed(coins, start_ms)
        self.start_ms = self.now = start_ms
        self.history = History(seed, start_ms)
        self._random = random.Random(f"{seed}/market")
        self.script = Script(phases, self.contracts, random.Random(f"{seed}/burst"))
        self._coins = {c.coin.name: _Coin(c.coin) for c in self.contracts}
        self._weights = [weight(c) for c in self.contracts]
        self._planned = 0
        self._last_of_burst: Liquidation | None = None
        self._quiet = False
        self._usual_premiums = {c: self.history.premium(c, start_ms) for c in self.contracts}
        self.quotes = {c: self._quote(c) for c in self.contracts}

    @property
    def phase(self) -> Phase:
        """The phase that rules now."""
        return self.script.at(self.now - self.start_ms)

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
        premium = self._usual_premiums[contract]
        interval = contract.interval_ms
        coins = self.history.open_interest(contract, self.start_ms)
        quote = Quote(
            self._coins[contract.coin.name], premium, coins, funding_of(premium, interval) if interval else 0.0
        )
        quote.next_funding_ms = (self.start_ms // interval + 1) * interval if interval else 0
        return quote

    def _step(self) -> list[Liquidation]:
        phase = self.phase
        self._move_prices(phase)
        elapsed = self.now - self.start_ms
        happened = [] if self._quiet else sorted(self._liquidations(phase, elapsed), key=lambda one: one.ts)
        for one in happened:
            self.quotes[one.contract].open_interest -= one.qty_base
        self.now += STEP_MS
        if elapsed % 1000 == 0:
            self._move_states(phase)
        for coin in self._coins.values():
            self.history.record_price(coin.coin, self.now - 1, coin.price)
        if self.now // MINUTE_MS != (self.now - STEP_MS) // MINUTE_MS:
            self._record_minute()
        return happened

    def _move_prices(self, phase: Phase) -> None:
        seconds = STEP_MS / 1000
        gauss, vol = self._random.gauss, phase.vol * math.sqrt(seconds)
        common = gauss(0, 0.8 * vol)
        for state in self._coins.values():
            move = state.coin.beta * (phase.drift * seconds + common + gauss(0, 0.6 * vol))
            state.price *= math.exp(move)
            state.trend = 0.98 * state.trend + move

    def _move_states(self, phase: Phase) -> None:
        for contract, quote in self.quotes.items():
            target = self._usual_premiums[contract]
            if phase.name in ("cascade", "aftermath"):
                target += phase.premium
            quote.premium += 0.15 * (target - quote.premium) + self._random.gauss(0, 2e-5)
            quote.average_premium += 0.03 * (quote.premium - quote.average_premium)
            quote.open_interest *= math.exp(phase.oi_drift + self._random.gauss(0, 2e-5))
            if contract.interval_ms:
                quote.funding = funding_of(quote.average_premium, contract.interval_ms)

    def _record_minute(self) -> None:
        for contract, quote in self.quotes.items():
            self.history.record_open_interest(contract, self.now, quote.open_interest)
            if contract.interval_ms and self.now >= quote.next_funding_ms:
                paid = Settlement(quote.next_funding_ms, quote.funding, quote.mark)
                self.history.record_settlement(contract, paid)
                quote.next_funding_ms += contract.interval_ms

    def _liquidations(self, phase: Phase, elapsed: int) -> list[Liquidation]:
        if self.script.reserved(elapsed):
            return self._from_plan(phase, elapsed)
        happened: list[Liquidation] = []
        for _ in range(self._poisson(phase.rate * STEP_MS / 1000)):
            contract = self._random.choices(self.contracts, self._weights)[0]
            ts = self.now + self._random.randrange(STEP_MS)
            size = phase.size * self._random.lognormvariate(0, 1.4)
            happened.append(self._liquidation(contract, ts, size, self._position(phase, contract)))
            if contract.venue == "bybit" and self._random.random() < CHANCE_OF_TWIN:
                happened.append(happened[-1])
        return happened

    def _from_plan(self, phase: Phase, elapsed: int) -> list[Liquidation]:
        burst, happened = self.script.burst, []
        while self._planned < len(burst) and burst[self._planned].at_ms < elapsed + STEP_MS:
            planned = burst[self._planned]
            self._planned += 1
            if planned.twin and self._last_of_burst is not None:
                happened.append(self._last_of_burst)
                continue
            ts = self.start_ms + planned.at_ms
            one = self._liquidation(
                planned.contract, ts, phase.size * planned.size, self._position(phase, planned.contract)
            )
            happened.append(one)
            if planned.contract.venue == "bybit":
                self._last_of_burst = one
        return happened

    def _position(self, phase: Phase, contract: Contract) -> Position:
        trend = self._coins[contract.coin.name].trend
        longs = phase.longs if phase.longs is not None else 0.9 if trend < 0 else 0.1
        return "long" if self._random.random() < longs else "short"

    def _liquidation(self, contract: Contract, ts: int, usd: float, position: Position) -> Liquidation:
        away = -1 if position == "long" else 1
        mark = self.quotes[contract].mark
        fill = mark * (1 + away * self._random.uniform(0.0001, 0.0015))
        bankruptcy = fill * (1 + away * self._random.uniform(0.003, 0.012))
        qty = contract.qty_text(contract.units(min(usd, LARGEST_USD), fill))
        prices = [contract.price_text(price) for price in (fill, bankruptcy, mark)]
        return Liquidation(contract, ts, position, qty, *prices)

    def _poisson(self, mean: float) -> int:
        limit, product, count = math.exp(-mean), self._random.random(), 0
        while product > limit:
            product *= self._random.random()
            count += 1
        return count
