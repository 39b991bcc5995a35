"""What the market did, before the simulation started (past.py) and since (tape.py): prices, open interest, funding, ratios.

Prices are USD per coin, times UTC ms, rates per funding interval. What is said of a time is said of the start of its minute.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from collectors.simulator.candles import DAY_MS, HOUR_MS, MINUTE_MS, Candle, Candles, Kind
from collectors.simulator.contracts import Coin, Contract
from collectors.simulator.past import DAY, Past
from collectors.simulator.tape import Quoted, Settlement, Tape

FUNDING_CAP = 0.02
INTEREST = 0.0001
CLAMP = 0.0005
SAMPLES = 8
"""Of the premium in an interval whose funding was paid before the start."""


class History:
    """`start_ms`: where the simulation starts; the tape begins with that minute, the past ends there."""

    def __init__(self, seed: int, contracts: Sequence[Contract], start_ms: int) -> None:
        self.start_ms = start_ms
        self._start = start_ms // MINUTE_MS
        self._seed = seed
        self._past = Past(seed, self._start)
        self._coins = {contract: self._coins_against(contract) for contract in contracts}
        self._tape = Tape(self._start, {}, {})
        self._candles = Candles(seed, self._past, self._tape, self._coins)
        self._phases: dict[str, float] = {}
        self._paid: dict[Contract, dict[int, Settlement]] = {}

    def record(self, prices: Mapping[str, float], quotes: Mapping[Contract, Quoted]) -> Tape:
        """Return the tape on which the market is recorded from here on; `prices` by coin's name."""
        self._tape = Tape(self._start, prices, quotes)
        self._candles = Candles(self._seed, self._past, self._tape, self._coins)
        return self._tape

    def price(self, coin: Coin, ts: int) -> float:
        """Return the index price."""
        minute = ts // MINUTE_MS
        if minute <= self._start:
            return self._past.price(coin, minute)
        self._tape.flush()
        return self._tape.index[coin.name].at(minute - self._start)[0]

    def mark(self, contract: Contract, ts: int) -> float:
        """Return the mark price."""
        return self.price(contract.coin, ts) * (1 + self.premium(contract, ts))

    def premium(self, contract: Contract, ts: int) -> float:
        """Return mark over index minus one."""
        minute = ts // MINUTE_MS
        if minute <= self._start:
            return self.usual_premium(contract, ts)
        recorded = self._tape.premium[contract]
        return recorded[min(minute - self._start, len(recorded) - 1)]

    def premiums(self, contract: Contract, start: int, width: int, now: int) -> tuple[float, float, float, float]:
        """Return open, high, low and close of mark over index minus one, as of the minutes in [start, start + width)."""
        found = [self.premium(contract, ts) for ts in range(start, min(start + width, max(now, start)) + 1, MINUTE_MS)]
        return found[0], max(found), min(found), found[-1]

    def usual_premium(self, contract: Contract, ts: int) -> float:
        """Return the premium that the market tends to, at any time; before the start, the one it had."""
        day, at = divmod(ts // MINUTE_MS, DAY)
        return float(self._past.states(contract, day).premium[at])

    def usual_basis(self, contract: Contract, ts: int) -> float:
        """Return last over mark minus one, before the start."""
        day, at = divmod(ts // MINUTE_MS, DAY)
        return float(self._past.states(contract, day).basis[at])

    def usual_heat(self, ts: int) -> float:
        """Return the log of volatility against a calm market's, at any time."""
        day, at = divmod(ts // MINUTE_MS, DAY)
        return float(self._past.heat(day)[at])

    def interest_drift(self, contract: Contract, ts: int) -> float:
        """Return the log change of open interest in the minute of `ts` that the market tends to, at any time."""
        day, at = divmod(ts // MINUTE_MS, DAY)
        interest = self._past.states(contract, day).interest
        return float(interest[at + 1] - interest[at])

    def open_interest(self, contract: Contract, ts: int) -> float:
        """Return one side's open interest in coins."""
        minute = ts // MINUTE_MS
        if minute > self._start:
            recorded = self._tape.interest[contract]
            return recorded[min(minute - self._start, len(recorded) - 1)]
        day, at = divmod(minute, DAY)
        return self._coins[contract] * math.exp(float(self._past.states(contract, day).interest[at]))

    def liquidated(self, contract: Contract, ts: int) -> float:
        """Return the coins liquidated in the minute of `ts`, since the start."""
        recorded, index = self._tape.liquidated[contract], ts // MINUTE_MS - self._start
        return recorded[index] if 0 <= index < len(recorded) else 0.0

    def candle(self, contract: Contract, kind: Kind, start: int, width: int, now: int) -> Candle:
        """Return the candle of [start, start + width) of what has happened by `now`, see `Candles`."""
        return self._candles.candle(contract, kind, start, width, now)

    def last_day(self, contract: Contract, kind: Kind, now: int) -> tuple[Candle, float]:
        """Return the candle of the last 24 hours and the price an hour ago, both as of the last full minute."""
        return self._candles.last_day(contract, kind, now)

    def settlements(self, contract: Contract, since: int, until: int) -> list[Settlement]:
        """Return what was paid in [since, until], oldest first; nothing for a delivery contract."""
        if not contract.interval_ms:
            return []
        recorded = [paid for paid in self._tape.settled.get(contract, []) if since <= paid.ts <= until]
        return self._past_settlements(contract, since, until) + recorded

    def _past_settlements(self, contract: Contract, since: int, until: int) -> list[Settlement]:
        """Return what was paid before the start."""
        interval, paid = contract.interval_ms, self._paid.setdefault(contract, {})
        times = range(since + -since % interval, min(until, self._start * MINUTE_MS) + 1, interval)
        if missing := [ts for ts in times if ts not in paid]:
            paid.update((each.ts, each) for each in self._settled(contract, missing))
        return [paid[ts] for ts in times]

    def _settled(self, contract: Contract, times: Sequence[int]) -> Iterator[Settlement]:
        """Yield what was paid at these times before the start, at the mean premium of its interval."""
        interval = contract.interval_ms
        steps = np.arange(SAMPLES) - SAMPLES + 1
        minutes = (np.array(times)[:, None] + steps * (interval // SAMPLES)) // MINUTE_MS
        premiums = self._past.premium(contract, minutes.ravel()).reshape(-1, SAMPLES)
        for ts, mean, last in zip(times, premiums.mean(1).tolist(), premiums[:, -1].tolist(), strict=True):
            yield Settlement(ts, funding_of(mean, interval), self.price(contract.coin, ts) * (1 + last))

    def long_share(self, coin: Coin, ts: int, kind: str) -> float:
        """Return the part of accounts (or positions) that is long: the crowd buys what falls."""
        move = math.log(self.price(coin, ts) / self.price(coin, ts - 4 * HOUR_MS))
        wave = 0.04 * math.sin(ts / (6.7 * HOUR_MS) + self._phase(coin.name + kind))
        return min(0.85, max(0.15, 0.55 + wave - 1.5 * move))

    def taker_buy_share(self, candle: Candle) -> float:
        """Return the part of a candle's volume that was bought at market."""
        return min(0.8, max(0.2, 0.5 + 8 * math.log(candle.close / candle.open)))

    def _coins_against(self, contract: Contract) -> float:
        """Return coins of open interest such that there are as many as the coin is said to have where the past ends."""
        day, at = divmod(self._start, DAY)
        coins = contract.coin.oi * 1e6 * contract.share / contract.coin.price
        return coins * math.exp(-float(self._past.states(contract, day).interest[at]))

    def _phase(self, name: str) -> float:
        if (found := self._phases.get(name)) is None:
            found = self._phases[name] = random.Random(f"{self._seed}/{name}").uniform(0, 2 * math.pi)
        return found


def funding_of(premium: float, interval_ms: int) -> float:
    """Return the rate for one interval: premium plus clamped interest, the formula the venues share."""
    rate = premium + min(CLAMP, max(-CLAMP, INTEREST - premium))
    return min(FUNDING_CAP, max(-FUNDING_CAP, rate * interval_ms / (8 * HOUR_MS)))


__all__ = ["DAY_MS", "HOUR_MS", "MINUTE_MS", "Candle", "History", "Settlement", "funding_of"]
