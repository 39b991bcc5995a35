"""What the market did before the simulation started and since: prices, open interest, settled funding, ratios.

Before the start everything is a pure function of the seed and the time; from then on it is what the market recorded.
Prices are USD per coin, times UTC ms, rates per funding interval.
"""

import math
import random
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from collectors.simulator.contracts import Coin, Contract

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
_PERIODS_MS = (37 * MINUTE_MS, 5.3 * HOUR_MS, 27 * HOUR_MS, 9 * DAY_MS)
_SWINGS = (0.001, 0.008, 0.02, 0.06)
FUNDING_CAP = 0.02
INTEREST = 0.0001
KEPT_CANDLES = 50_000

Part = tuple[float, float, float, float, float]
"""Open, high, low, close and turnover of a piece of a candle."""


class Candle(NamedTuple):
    """Open, high, low, close, and the part of the contract's open interest that was traded."""

    open: float
    high: float
    low: float
    close: float
    turnover: float


class Settlement(NamedTuple):
    """A funding rate that was paid at `ts`."""

    ts: int
    rate: float
    mark: float


class History:
    """`start_ms`: where the recorded part begins."""

    def __init__(self, seed: int, start_ms: int) -> None:
        self.start_ms = start_ms
        self._seed = seed
        self._waves: dict[str, list[float]] = {}
        self._minutes: dict[tuple[str, int], list[float]] = {}
        self._oi: dict[Contract, dict[int, float]] = {}
        self._settled: dict[Contract, list[Settlement]] = {}
        self._days: dict[str, tuple[int, Candle, float]] = {}
        self._hours: dict[tuple[str, int], Part] = {}
        self._past = lru_cache(KEPT_CANDLES)(self._candle)

    def record_price(self, coin: Coin, ts: int, price: float) -> None:
        """Take the index price at `ts`."""
        key = coin.name, ts // MINUTE_MS
        if (minute := self._minutes.get(key)) is None:
            opened = self.price(coin, ts - ts % MINUTE_MS)
            self._minutes[key] = [opened, max(opened, price), min(opened, price), price]
            return
        minute[1], minute[2], minute[3] = max(minute[1], price), min(minute[2], price), price

    def record_open_interest(self, contract: Contract, ts: int, coins: float) -> None:
        """Take one side's open interest at a full minute."""
        self._oi.setdefault(contract, {})[ts // MINUTE_MS] = coins

    def record_settlement(self, contract: Contract, settlement: Settlement) -> None:
        """Take a rate that was just paid."""
        self._settled.setdefault(contract, []).append(settlement)

    def price(self, coin: Coin, ts: int) -> float:
        """Return the index price at `ts`; between recorded minutes, the last close."""
        if ts <= self.start_ms:
            return coin.price * math.exp(self._swing(coin.name, ts) - self._swing(coin.name, self.start_ms))
        for minute in range(ts // MINUTE_MS - 1, self.start_ms // MINUTE_MS - 1, -1):
            if found := self._minutes.get((coin.name, minute)):
                return found[3]
        return coin.price

    def premium(self, contract: Contract, ts: int) -> float:
        """Return mark over index minus one, before the start; a delivery contract's carry is in it."""
        carry = 0.05 * max(0, contract.expiry_ms - ts) / (365 * DAY_MS)
        return (
            carry
            + 0.0002
            + 0.0007 * contract.coin.beta * math.sin(ts / (3.1 * HOUR_MS) + self._phase(contract.coin.name, 7))
        )

    def open_interest(self, contract: Contract, ts: int) -> float:
        """Return one side's open interest in coins at the minute of `ts`."""
        minutes = self._oi.get(contract, {})
        for minute in range(ts // MINUTE_MS, self.start_ms // MINUTE_MS, -1):
            if (found := minutes.get(minute)) is not None:
                return found
        coins = contract.coin.oi * 1e6 * contract.share / contract.coin.price
        at = min(ts, self.start_ms)
        swing = 2 * (self._swing(contract.symbol, at) - self._swing(contract.symbol, self.start_ms))
        return coins * math.exp(swing)

    def candle(self, coin: Coin, start: int, width: int, now: int) -> Candle:
        """Return the index price's candle of [start, start + width), of what has happened by `now`.

        Up to an hour wide it is exactly the union of its minutes; wider ones sample the past every quarter of an hour.
        """
        end = min(start + width, now + 1)
        return (self._past if end <= self.start_ms else self._candle)(coin, start, end, width)

    def _candle(self, coin: Coin, start: int, end: int, width: int) -> Candle:
        parts = list(self._parts(coin, start, end, MINUTE_MS if width <= HOUR_MS else 15 * MINUTE_MS))
        return Candle(*_union(parts)) if parts else Candle(*(self.price(coin, start),) * 4, 0.0)

    def last_day(self, coin: Coin, now: int) -> tuple[Candle, float]:
        """Return the candle of the last 24 hours and the price an hour ago, both as of the last full minute."""
        minute = now - now % MINUTE_MS
        if (kept := self._days.get(coin.name)) is None or kept[0] != minute:
            kept = (minute, self.candle(coin, minute - DAY_MS, DAY_MS, minute), self.price(coin, minute - HOUR_MS))
            self._days[coin.name] = kept
        return kept[1], kept[2]

    def settlements(self, contract: Contract, since: int, until: int) -> list[Settlement]:
        """Return what was paid in [since, until], oldest first; nothing for a delivery contract."""
        interval = contract.interval_ms
        if not interval:
            return []
        first = since + -since % interval
        past = range(first, min(until, self.start_ms) + 1, interval)
        recorded = [s for s in self._settled.get(contract, []) if since <= s.ts <= until]
        return [self._past_settlement(contract, ts) for ts in past] + recorded

    def long_share(self, coin: Coin, ts: int, kind: str) -> float:
        """Return the part of accounts (or positions) that is long: the crowd buys what falls."""
        move = math.log(self.price(coin, ts) / self.price(coin, ts - 4 * HOUR_MS))
        wave = 0.04 * math.sin(ts / (6.7 * HOUR_MS) + self._phase(coin.name + kind, 3))
        return min(0.85, max(0.15, 0.55 + wave - 1.5 * move))

    def taker_buy_share(self, coin: Coin, start: int, width: int, now: int) -> float:
        """Return the part of the volume that was bought at market."""
        candle = self.candle(coin, start, width, now)
        return min(0.8, max(0.2, 0.5 + 8 * math.log(candle.close / candle.open)))

    def _parts(self, coin: Coin, start: int, end: int, width: int) -> Iterator[Part]:
        """Yield the pieces: whole recorded hours, recorded minutes, and of the past what `width` holds."""
        ts, closed = start, None
        while ts < end:
            if ts % HOUR_MS == 0 and self.start_ms <= ts and ts + HOUR_MS < end:
                yield self._hour(coin, ts)
                ts, closed = ts + HOUR_MS, None
                continue
            if recorded := self._minutes.get((coin.name, ts // MINUTE_MS)):
                yield self._minute(coin, ts, recorded)
                ts, closed = ts + MINUTE_MS, None
                continue
            step = MINUTE_MS if ts + width > self.start_ms else width
            opened = closed or self.price(coin, ts)
            closed = self.price(coin, ts + step)
            wick = 1 + 0.0003 * abs(math.sin(ts / MINUTE_MS * 12.9898 + self._phase(coin.name, 5)))
            high, low = max(opened, closed) * wick, min(opened, closed) / wick
            yield opened, high, low, closed, self._turnover(coin, ts, opened, high, low) * step / MINUTE_MS
            ts += step

    def _minute(self, coin: Coin, ts: int, recorded: list[float]) -> Part:
        opened, high, low, closed = recorded
        return opened, high, low, closed, self._turnover(coin, ts, opened, high, low)

    def _hour(self, coin: Coin, start: int) -> Part:
        """Return an hour that is over and was recorded."""
        if (found := self._hours.get((coin.name, start))) is None:
            minutes = range(start // MINUTE_MS, (start + HOUR_MS) // MINUTE_MS)
            parts = [self._minute(coin, n * MINUTE_MS, self._minutes[coin.name, n]) for n in minutes]
            found = self._hours[coin.name, start] = _union(parts)
        return found

    def _turnover(self, coin: Coin, ts: int, opened: float, high: float, low: float) -> float:
        jitter = 0.7 + 0.6 * abs(math.sin(ts / MINUTE_MS * 78.233 + self._phase(coin.name, 11)))
        return 0.0015 * jitter * (1 + 150 * (high - low) / opened)

    def _past_settlement(self, contract: Contract, ts: int) -> Settlement:
        premium = self.premium(contract, ts)
        mark = self.price(contract.coin, ts) * (1 + premium)
        return Settlement(ts, funding_of(premium, contract.interval_ms), mark)

    def _swing(self, name: str, ts: int) -> float:
        if (phases := self._waves.get(name)) is None:
            phases = self._waves[name] = [self._phase(name, k) for k in range(len(_PERIODS_MS))]
        waves = zip(_PERIODS_MS, _SWINGS, phases, strict=True)
        return sum(
            swing * math.sin(2 * math.pi * (ts % (1000 * period)) / period + phase) for period, swing, phase in waves
        )

    def _phase(self, name: str, k: int) -> float:
        if (found := self._waves.get(f"{name}/{k}")) is None:
            found = [random.Random(f"{self._seed}/{name}/{k}").uniform(0, 2 * math.pi)]
            self._waves[f"{name}/{k}"] = found
        return found[0]


def _union(parts: list[Part]) -> Part:
    """Return the candle of pieces in their order."""
    opens, highs, lows, closes, turnovers = zip(*parts, strict=True)
    return opens[0], max(highs), min(lows), closes[-1], sum(turnovers)


def funding_of(premium: float, interval_ms: int) -> float:
    """Return the rate for one interval: premium plus clamped interest, the formula the venues share."""
    rate = premium + min(0.0005, max(-0.0005, INTEREST - premium))
    return min(FUNDING_CAP, max(-FUNDING_CAP, rate * interval_ms / (8 * HOUR_MS)))
