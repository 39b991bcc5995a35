"""Calm days of three venues' liquidations, invented, to judge the judge of silences by.

Coins differ in how often they are liquidated and in which venues list them. The market's activity wanders, with nights and
weekends, and each venue wanders on its own besides. A liquidation sets off others of its coin and venue in the minutes after.
Prices of single coins jump now and then, and liquidate nobody by that.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pipelines.derive.coverage.expectation import DAY, Channel, Move, Numbers, Past, Silence, Span, judge, silences
from pipelines.derive.coverage.silence_rules import RULE, Rule

COINS = 60
PER_MINUTE = {"binance": 2.5, "bybit": 1.5, "okx": 0.25}
"""Coins with a liquidation a minute, of quiet weeks."""
FOLLOW = 2.2
"""Minutes with a liquidation of one coin, for each that came by itself."""
JUMPS_A_DAY = 0.2
"""Of a coin's price, by 3 % in ten minutes."""


class World(NamedTuple):
    """What each venue brought, minute by minute, its past, and the jumps of prices as they matter to it."""

    channels: Mapping[str, Channel]
    pasts: Mapping[str, Past]
    moves: Mapping[str, list[Move]]

    def judge(self, venue: str, span: Span, rule: Rule = RULE, alone: bool = False) -> Silence:
        """Judge a silence of a venue beside the others, or as if only this one were collected."""
        others = (
            {} if alone else {name: (self.channels[name], self.pasts[name]) for name in self.channels if name != venue}
        )
        return judge(self.channels[venue], self.pasts[venue], others, span, rule, self.moves[venue])

    def silences(self, venue: str) -> list[Span]:
        """Return the silences of a venue that are long enough to be judged."""
        channel = self.channels[venue]
        return [span for span in silences(channel.heard, channel.share) if span[1] - span[0] >= RULE.least_minutes]


def world(days: int, seed: int, per_minute: Mapping[str, float] = PER_MINUTE) -> World:
    """Return so many days; the same seed gives the same."""
    rng, minutes = np.random.default_rng(seed), days * DAY
    at = np.arange(minutes)
    night = np.exp(0.6 * np.sin(2 * np.pi * (at / DAY + rng.random())))
    weekend = np.where(at // DAY % 7 >= 5, 0.45, 1.0)
    market = night * weekend * np.exp(_wander(rng, minutes, 0.7, 180.0) + _wander(rng, minutes, 0.35, 20.0))
    channels, moves = {}, {}
    for venue, rate in per_minute.items():
        level = market * np.exp(_wander(rng, minutes, 0.35, 45.0) + _wander(rng, minutes, 0.3, DAY))
        weights = (rng.pareto(1.2, COINS) + 0.05) * (rng.random(COINS) < 0.75)
        weights /= weights.sum()
        hit = np.stack([_hits(rng, rate * weight * level / level.mean() / FOLLOW) for weight in weights])
        brought = hit.sum(axis=0).astype(float)
        channels[venue] = Channel(brought, np.ones(minutes), brought > 0, np.ones(minutes, bool))
        moves[venue] = [
            move for coin, times in enumerate(hit) for move in _jumps(rng, str(coin), times.sum() / days, minutes)
        ]
    return World(channels, {venue: Past(channel, RULE) for venue, channel in channels.items()}, moves)


def _hits(rng: np.random.Generator, mean: Numbers) -> np.ndarray:
    hit = np.zeros(len(mean), bool)
    first = np.flatnonzero(rng.poisson(mean))
    following = rng.geometric(1 / FOLLOW, len(first)) - 1
    after = np.repeat(first, following) + rng.geometric(0.35, following.sum())
    hit[first] = hit[after[after < len(mean)]] = True
    return hit


def _jumps(rng: np.random.Generator, coin: str, a_day: float, minutes: int) -> list[Move]:
    expected = RULE.price_minutes * a_day / (a_day + RULE.price_half)
    times = rng.integers(RULE.price_minutes, minutes, rng.poisson(JUMPS_A_DAY * minutes / DAY))
    return [Move(coin, int(at) - RULE.price_minutes, int(at), expected) for at in times]


def _wander(rng: np.random.Generator, minutes: int, size: float, memory: float) -> Numbers:
    """Return an Ornstein-Uhlenbeck path of standard deviation `size` that forgets in `memory` minutes."""
    keep = np.exp(-1 / memory)
    path = rng.normal(0, size * np.sqrt(1 - keep * keep), minutes)
    path[0] = rng.normal(0, size)
    for at in range(1, minutes):
        path[at] += keep * path[at - 1]
    return np.asarray(path)
