"""How likely a silence of a liquidation channel is, if the channel works. Pure; times are minutes counted from a midnight.

A channel is judged by the coins that had a liquidation in each minute. One coin counts once per minute, so that a burst in
one coin does not count a thousand times. The expected number comes from the channel's own past (by hour of the day, and its
recent level) and from how active the other venues are in the same minutes. Liquidations cluster, so counts are divided by
`dispersion`. Neither the market's activity nor a channel's part of it is known exactly. Both are modelled as gamma variables,
so the likelihood of nothing is that of a negative binomial, (1 + expected / shape) ^ -shape.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.derive.coverage.silence_rules import Rule

Numbers = NDArray[np.float64]
Span = tuple[int, int]
HOUR = 60
DAY = 24 * HOUR


class Channel(NamedTuple):
    """One channel, minute by minute. `brought`: coins with a liquidation; `share`: how much of the minute it was listened to;
    `heard`: whether anything came; `sound`: whether the minute counts as its past, that is, was not suspect itself."""

    brought: Numbers
    share: Numbers
    heard: NDArray[np.bool_]
    sound: NDArray[np.bool_]


class Move(NamedTuple):
    """A coin's price moved by the rule's `price_move` between the minutes `since` and `at`. `expected`: minutes with a
    liquidation that so large a move brings on the channel."""

    coin: str
    since: int
    at: int
    expected: float


LIVE, SUSPECT, SILENT = "LIVE", "SUSPECT", "SILENT"


class Silence(NamedTuple):
    """Minutes [first, end) without anything heard. `never_heard`: nothing was, as far as the rule looks back.

    `likelihood`: of each minute, that the silence lasts so long if the channel works. `expected` here and brought by each of
    the `others` since it began: coins and minutes with a liquidation. `moved`: coins whose price did.
    """

    first: int
    end: int
    never_heard: bool
    likelihood: Numbers
    expected: Numbers
    others: Mapping[str, Numbers]
    moved: Sequence[Move]


class Past:
    """What a channel brought up to any minute, by hour of the day."""

    def __init__(self, channel: Channel, rule: Rule) -> None:
        self._rule = rule
        hours = np.arange(len(channel.brought)) // HOUR % 24 == np.arange(24)[:, None]
        self._brought = _running(np.where(hours & channel.sound, channel.brought, 0.0))
        self._listened = _running(np.where(hours & channel.sound, channel.share, 0.0))

    def brought(self, until: int) -> float:
        """Return what it brought in the time before `until` that the rule looks back on: whole days, and the running one."""
        return float(self._between(self._brought, self._since(until), until).sum())

    def rates(self, until: int) -> Numbers:
        """Return what a minute of each hour of the day brings, as of `until`: its past by the hour, at its level of late."""
        rule, since = self._rule, self._since(until)
        brought, listened = (self._between(of, since, until) for of in (self._brought, self._listened))
        if not (whole := listened.sum()):
            return np.zeros(24)
        by_hour = (brought + rule.hour_minutes * brought.sum() / whole) / (listened + rule.hour_minutes)
        late = max(since, until - rule.recent_minutes)
        of_late = self._between(self._brought, late, until).sum()
        usual = (self._between(self._listened, late, until) * by_hour).sum()
        return np.asarray(by_hour * (rule.recent_weight + of_late) / (rule.recent_weight + usual))

    def _since(self, until: int) -> int:
        return max(0, (until // DAY - self._rule.history_days) * DAY)

    @staticmethod
    def _between(sums: Numbers, since: int, until: int) -> Numbers:
        return np.asarray(sums[:, until] - sums[:, since])


def silences(heard: NDArray[np.bool_], share: Numbers) -> list[Span]:
    """Return the runs of minutes [first, end) in which nothing was heard, from when the channel was first listened to."""
    began = np.flatnonzero(heard | (share > 0))
    if not len(began):
        return []
    quiet = ~heard
    quiet[: began[0]] = False
    edges = np.flatnonzero(np.diff(np.concatenate(([False], quiet, [False])).astype(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def judge(
    channel: Channel,
    past: Past,
    others: Mapping[str, tuple[Channel, Past]],
    span: Span,
    rule: Rule,
    moves: Iterable[Move] = (),
) -> Silence:
    """Judge the silence `span` of a channel by its past, by the other venues' channels and by what prices did meanwhile."""
    first, end = span
    listened = channel.share[first:end]
    came = {name: np.cumsum(each.brought[first:end] * listened) for name, (each, _) in others.items()}
    had = past.brought(first)
    if had:
        known = {name: each for name, each in others.items() if each[1].brought(first) >= rule.least_past}
        usual = [_usual(its, each.share[first:end] * listened, span) for each, its in known.values()]
        own = _usual(past, listened, span) / rule.dispersion
        expected, market = _expected(own, _stack(usual, rule), _stack([came[name] for name in known], rule), rule)
    else:
        theirs = _stack(list(came.values()), rule)
        expected, market = rule.unheard_share * theirs.mean(axis=0), rule.market_shape + theirs.sum(axis=0)
    shape = _both(
        rule.own_shape + min(had / rule.dispersion, rule.own_shape_most), np.minimum(market, rule.market_shape_most)
    )
    moved = _moved(moves, span)
    by_price = np.cumsum(np.bincount([one.at - first for one in moved], [one.expected for one in moved], end - first))
    likelihood = _nothing(expected, shape) * _nothing(by_price / rule.dispersion, rule.price_shape)
    return Silence(first, end, had == 0, likelihood, expected * rule.dispersion + by_price, came, moved)


def state(found: Silence, rule: Rule) -> tuple[str, int]:
    """Return the state of a silence, and after how many of its minutes that was known; those of LIVE: all."""
    limits = (
        ((SILENT, rule.unheard_silent_below), (SUSPECT, rule.unheard_suspect_below))
        if found.never_heard
        else ((SILENT, rule.silent_below), (SUSPECT, rule.suspect_below))
    )
    for state, below in limits:
        if len(crossed := np.flatnonzero(found.likelihood[rule.least_minutes - 1 :] < below)):
            return state, int(crossed[0]) + rule.least_minutes
    return LIVE, found.end - found.first


def _usual(past: Past, listened: Numbers, span: Span) -> Numbers:
    """Return what a channel usually brings from the start of the span to each of its minutes."""
    return np.cumsum(past.rates(span[0])[np.arange(*span) // HOUR % 24] * listened)


def _nothing(expected: Numbers, shape: Numbers | float) -> Numbers:
    """Return the likelihood of nothing, of a negative binomial."""
    return np.asarray((1 + expected / shape) ** -np.asarray(shape))


def _both(one: float, other: Numbers) -> Numbers:
    """Return the shape of a product of two gamma variables, by its variance."""
    return np.asarray(1 / (1 / one + 1 / other + 1 / (one * other)))


def _expected(own: Numbers, usual: Numbers, came: Numbers, rule: Rule) -> tuple[Numbers, Numbers]:
    """Return what is expected, given what the others brought against what is usual for them, and how well that is known.

    One that brought nothing while others did is left out: it may be as dead. Where none brought anything, the silence is that
    of all of them.
    """
    active = came > 0
    market = rule.market_shape + came.sum(axis=0)
    expected = own * market / (rule.market_shape + (usual * active).sum(axis=0))
    return np.where(active.any(axis=0), expected, own + usual.sum(axis=0)), market


def _moved(moves: Iterable[Move], span: Span) -> list[Move]:
    """Return each coin's first move that lies within the span."""
    found: dict[str, Move] = {}
    for one in sorted(moves, key=lambda move: move.at):
        if span[0] <= one.since and one.at < span[1]:
            found.setdefault(one.coin, one)
    return list(found.values())


def _stack(of: Sequence[Numbers], rule: Rule) -> Numbers:
    return np.stack(of) / rule.dispersion if of else np.zeros((1, 1))


def _running(minutes: Numbers) -> Numbers:
    return np.concatenate((np.zeros((len(minutes), 1)), np.cumsum(minutes, axis=1)), axis=1)
