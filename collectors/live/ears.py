"""Detects that a feed sends no liquidations for longer than expected. Pure: times are passed in, seconds of one clock.

A connection can be up and its other channels active while no liquidations come; this happened when a venue retired a path. A
feed is compared with its own recent rate, and with what other venues of this process send meanwhile. Frames are not read: a
channel counts once per UNIT_S in which any frame came, because liquidations cluster. The expected number is not known
exactly, so the likelihood of none is that of a negative binomial. The pipelines repeat this with a longer past.
"""

import math
from typing import NamedTuple

UNIT_S = 4.0
FORGET_S = 3600.0
"""A liquidation this long ago counts for a third."""
DISPERSION = 3.0
"""This many units count as one independent event."""
OWN_SHAPE, OWN_SHAPE_MOST = 2.0, 20.0
MARKET_SHAPE, MARKET_SHAPE_MOST = 8.0, 40.0
LEAST_PAST = 10
"""Another venue must have had this many units before this one is compared with it."""
UNHEARD_SHARE, UNHEARD_BELOW = 0.5, 1e-2
"""A feed that was never heard is expected to send half of what the others do. It is judged once, so a higher limit is
enough."""


class _Other(NamedTuple):
    """Another venue's feed when this one was last heard: what it had brought, and usually brings a second."""

    total: int
    rate: float


class Ear:
    """What one feed's liquidation channels brought."""

    def __init__(self, ears: "Ears", venue: str, now: float) -> None:
        self.venue = venue
        self.total = 0
        self._ears = ears
        self._count = self._time = 0.0
        self.begin(now)

    def begin(self, now: float) -> None:
        """Begin a new silence: a connection was opened, or a suspicion was not confirmed."""
        self.heard_at = self._counted_at = now
        self._others = self._ears.others(self)

    def meet(self, other: "Ear") -> None:
        """Also compare with a feed that was opened later; what it sends counts from its start."""
        if other.venue != self.venue:
            self._others[other] = _Other(other.total, other.rate)

    def hear(self, at: float) -> None:
        """Note that liquidations came at `at`."""
        if at <= self.heard_at and self.total:
            return
        since, self.heard_at = at - self._counted_at, max(at, self.heard_at)
        if self.total and since < UNIT_S:
            return
        keep = math.exp(-max(since, 0.0) / FORGET_S)
        self._count, self._time = self._count * keep + 1, self._time * keep + max(since, UNIT_S)
        self.total += 1
        self._counted_at = at
        self._others = self._ears.others(self)

    @property
    def rate(self) -> float:
        """Its recent number of units with liquidations per second."""
        return self._count / self._time if self._time else 0.0

    def likelihood(self, now: float) -> float:
        """Return how likely a silence that lasts until now is, if the feed works."""
        silent_s = now - self.heard_at
        theirs = [(other.total - then.total, then) for other, then in self._others.items()]
        if not self.total:
            came = [units / DISPERSION for units, _ in theirs]
            expected = UNHEARD_SHARE * sum(came) / max(1, len(came))
            return _nothing(expected, OWN_SHAPE, MARKET_SHAPE + sum(came))
        known = [(units, then) for units, then in theirs if then.total >= LEAST_PAST]
        usual = sum(then.rate for units, then in known if units) * silent_s / DISPERSION
        market = MARKET_SHAPE + sum(units for units, _ in known) / DISPERSION
        expected = self.rate * silent_s / DISPERSION * market / (MARKET_SHAPE + usual)
        return _nothing(expected, OWN_SHAPE + min(self._count / DISPERSION, OWN_SHAPE_MOST), market)

    def is_suspect(self, now: float, below: float) -> bool:
        """Return whether the silence is less likely than `below` (UNHEARD_BELOW for a feed that was never heard)."""
        return self.likelihood(now) < (below if self.total else UNHEARD_BELOW)


class Ears:
    """The ears of one process."""

    def __init__(self) -> None:
        self._all: list[Ear] = []

    def open(self, venue: str, now: float) -> Ear:
        """Return the ear of a feed of the venue."""
        ear = Ear(self, venue, now)
        for other in self._all:
            other.meet(ear)
        self._all.append(ear)
        return ear

    def others(self, ear: Ear) -> dict[Ear, _Other]:
        """Return what the feeds of other venues have sent until now."""
        return {each: _Other(each.total, each.rate) for each in self._all if each.venue != ear.venue}

    def forget(self, ear: Ear) -> None:
        """Stop comparing other feeds with this one."""
        self._all = [each for each in self._all if each is not ear]


EARS = Ears()


def _nothing(expected: float, own: float, market: float) -> float:
    """Return the likelihood of nothing, of a negative binomial; `own` and `market`: shapes of what makes up `expected`."""
    market = min(market, MARKET_SHAPE_MOST)
    shape = 1 / (1 / own + 1 / market + 1 / (own * market))
    return float((1 + expected / shape) ** -shape)
