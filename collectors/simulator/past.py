"""The market before the simulation starts, minute by minute: a pure function of the seed, the start and the time.

Prices are anchored where the simulation starts, at each coin's own price, and drawn backwards from there a day at a time,
when somebody asks. Volatility clusters, crashes happen, premium and open interest go with them.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from collectors.simulator.contracts import Coin, Contract
from collectors.simulator.crashes import Crashes, Effects
from collectors.simulator.noise import Floats, Minutes, key_of, normals, uniforms, waves

DAY = 1440
DAY_MS = 86_400_000
CALM_VOL = 4.5e-5
"""Of BTC in a calm market, per square root of a second: 1.3 % a day."""
_HEAT = ((90, 0.35), (600, 0.4), (4200, 0.45))
_PREMIUM = ((20, 0.2), (180, 0.5), (1560, 1.0))
_INTEREST = ((15, 0.001), (130, 0.006), (1500, 0.018), (11_000, 0.05))
_OWN_INTEREST = ((25, 0.0004), (700, 0.004))
USUAL_PREMIUM = -1e-4
CARRY = 0.05


class States(NamedTuple):
    """Of a contract at the start of each minute of a day and at its end: `premium` mark over index minus one, `basis` last
    over mark minus one, `interest` log of open interest against no particular level."""

    premium: Floats
    basis: Floats
    interest: Floats


class _Moves(NamedTuple):
    """Log returns and volatility of each minute."""

    returns: Floats
    vol: Floats


class Past:
    """`start_minute`: where it ends; times are minutes since 1970, days likewise."""

    def __init__(self, seed: int, start_minute: int) -> None:
        self.start_minute = start_minute
        self._seed = seed
        self._crashes = Crashes(seed, start_minute)
        self._hours: dict[str, dict[int, Floats]] = {}
        self._levels: dict[str, dict[int, float]] = {}
        self.states = lru_cache(600)(self._states)
        self.bars = lru_cache(200)(self._bars)
        self.heat = lru_cache(40)(self._heat)
        self._effects = lru_cache(40)(self._effects_of)
        self._path = lru_cache(400)(self._path_of)
        self._moves = lru_cache(400)(self._moves_of)
        self._common = lru_cache(40)(self._common_of)

    def price(self, coin: Coin, minute: int) -> float:
        """Return the index price at the start of a minute not after the start."""
        day, at = divmod(minute, DAY)
        self._level(coin, day)
        if at % 60 == 0:
            return math.exp(self._hours[coin.name][day][at // 60])
        return math.exp(self._path(coin, day)[at])

    def premium(self, contract: Contract, minutes: Minutes) -> Floats:
        """Return mark over index minus one at these minutes, in ascending order; a delivery contract's carry is in it."""
        return self._premium(contract, minutes, self._crashes.effects(minutes))

    def _premium(self, contract: Contract, minutes: Minutes, effects: Effects) -> Floats:
        coin = contract.coin
        size, key = 2.5e-4 * (1 + coin.own / 2), key_of(self._seed, coin.name, "premium")
        curve = sum((part * size * waves(key, minutes, period) for period, part in _PREMIUM), np.zeros(len(minutes)))
        own = 4e-5 * waves(key_of(self._seed, contract.symbol, "premium"), minutes, 45)
        left = np.maximum(0, contract.expiry_ms - minutes * 60_000.0)
        carry: Floats = CARRY * left / (365 * DAY_MS) + USUAL_PREMIUM + curve + own + coin.beta * effects.premium
        return carry

    def _states(self, contract: Contract, day: int) -> States:
        minutes, coin = np.arange(day * DAY, (day + 1) * DAY + 1), contract.coin
        effects, wave = self._effects(day), np.zeros(DAY + 1)
        for name, curves in ((coin.name, _INTEREST), (contract.symbol, _OWN_INTEREST)):
            key = key_of(self._seed, name, "interest")
            wave += sum(size * waves(key, minutes, period) for period, size in curves)
        basis = 6e-5 * normals(key_of(self._seed, contract.symbol, "basis"), minutes)
        interest = wave + (0.6 + 0.4 * coin.beta) * effects.interest
        return States(self._premium(contract, minutes, effects), basis, interest)

    def _bars(self, coin: Coin, day: int) -> Floats:
        """Return open, high, low and close of the index in each minute of a day."""
        path, minutes = self._path(coin, day), np.arange(day * DAY, (day + 1) * DAY)
        moved, vol = np.diff(path), self._moves(coin, day).vol
        high, low = (
            (moved + side * np.sqrt(moved**2 - 2 * vol**2 * np.log(uniforms(key_of(self._seed, coin.name, side), minutes)))) / 2
            for side in (1, -1)
        )  # fmt: skip
        opened = np.exp(path[:-1])
        return np.column_stack((opened, opened * np.exp(high), opened * np.exp(low), np.exp(path[1:])))

    def _path_of(self, coin: Coin, day: int) -> Floats:
        """Return the log of the price at the start of each minute of a day, and at its end."""
        return self._level(coin, day) + _summed(self._moves(coin, day).returns)

    def _level(self, coin: Coin, day: int) -> float:
        """Return the log of the price where a day starts, drawing every day from there to the start."""
        levels, anchor = self._levels.setdefault(coin.name, {}), self.start_minute // DAY
        for each in range(min(levels, default=anchor + 1) - 1, day - 1, -1):
            summed = _summed(self._moves(coin, each).returns)
            if each == anchor:
                levels[each] = math.log(coin.price) - float(summed[self.start_minute % DAY])
            else:
                levels[each] = levels[each + 1] - float(summed[-1])
            self._hours.setdefault(coin.name, {})[each] = levels[each] + summed[::60]
        return levels[day]

    def _moves_of(self, coin: Coin, day: int) -> _Moves:
        common, drift, vol = self._common(day)
        minutes, key = np.arange(day * DAY, (day + 1) * DAY), key_of(self._seed, coin.name, "moves")
        own_vol = coin.own * vol * np.exp(0.4 * waves(key, minutes, 300) + 0.4 * waves(key, minutes, 3100))
        returns = coin.beta * (common + drift) + own_vol * normals(key, minutes)
        return _Moves(returns, np.hypot(coin.beta * vol, own_vol))

    def _common_of(self, day: int) -> tuple[Floats, Floats, Floats]:
        """Return the market's own moves, its drift in crashes, and its volatility, each minute."""
        minutes = np.arange(day * DAY, (day + 1) * DAY)
        vol = CALM_VOL * math.sqrt(60) * np.exp(self.heat(day))
        return vol * normals(key_of(self._seed, "market"), minutes), self._effects(day).drift[:-1], vol

    def _effects_of(self, day: int) -> Effects:
        """Return what crashes do at the start of each minute of a day and at its end."""
        return self._crashes.effects(np.arange(day * DAY, (day + 1) * DAY + 1))

    def _heat(self, day: int) -> Floats:
        """Return the log of volatility against that of a calm market, each minute of a day; Americans trade most."""
        minutes, key = np.arange(day * DAY, (day + 1) * DAY), key_of(self._seed, "heat")
        sessions = 0.25 * np.cos(2 * np.pi * (minutes - 15 * 60) / DAY)
        slow = sum((size * waves(key, minutes, period) for period, size in _HEAT), sessions)
        felt: Floats = slow + self._effects(day).heat[:-1]
        return felt


def _summed(returns: Floats) -> Floats:
    return np.concatenate((np.zeros(1), returns.cumsum()))
