"""The script the market follows: calm, a cascade with a burst of liquidations, its aftermath, then calm for good."""

import math
import random
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from collectors.simulator.contracts import Contract
from collectors.simulator.past import CALM_VOL
from collectors.simulator.throttles import WINDOW_MS

HIDDEN = 0.45
"""Part of the burst that happens where feeds do not show every liquidation."""
PhaseName = Literal["calm", "cascade", "aftermath", "after"]


class Phases(msgspec.Struct, frozen=True):
    """Lengths in seconds; `burst` liquidations become visible on the feeds in `burst_s` seconds of the cascade.

    `trickle`: ordinary liquidations a second over all venues. `fall`: what BTC loses in the cascade, as a part.
    """

    calm_s: float = 30.0
    cascade_s: float = 30.0
    aftermath_s: float = 30.0
    burst_s: float = 10.0
    burst: int = 2000
    trickle: float = 2.0
    fall: float = 0.12

    @property
    def length_ms(self) -> int:
        """The whole script, ms."""
        return int((self.calm_s + self.cascade_s + self.aftermath_s) * 1000)

    @property
    def burst_ms(self) -> tuple[int, int]:
        """When the burst starts and ends, ms from the script's start."""
        length = min(self.burst_s, self.cascade_s)
        start = self.calm_s + (self.cascade_s - length) / 4
        return int(start * 1000), int((start + length) * 1000)


class Phase(NamedTuple):
    """What the market does: `drift` log return a second of BTC, `vol` of BTC per square root of a second, `rate`
    liquidations a second, `longs` the share of longs among them (None: whoever the price moves against), `size` median
    USD of one, `premium` the level perpetuals are pulled to, `oi_drift` log change of open interest a second.
    """

    name: PhaseName
    drift: float
    vol: float
    rate: float
    longs: float | None
    size: float
    premium: float
    oi_drift: float


class Planned(NamedTuple):
    """A liquidation of the burst: `at_ms` from the script's start; `twin` repeats the one before it exactly."""

    at_ms: int
    contract: Contract
    size: float
    twin: bool = False


class Script:
    """Which phase rules when, and the burst's plan. Times are ms from the script's start."""

    def __init__(self, phases: Phases, contracts: Sequence[Contract], rng: random.Random) -> None:
        self.phases = phases
        calm_s, cascade_s, aftermath_s = (max(s, 0.001) for s in (phases.calm_s, phases.cascade_s, phases.aftermath_s))
        rate, fall = phases.trickle, math.log(1 - phases.fall)
        self._calm = Phase("calm", 0.0, CALM_VOL, rate, None, 1500, 0.0002, 0.004 / calm_s)
        self._cascade = Phase("cascade", fall / cascade_s, 3e-4, rate * 8, 0.97, 12000, -0.004, -0.2 / cascade_s)
        self._aftermath = Phase(
            "aftermath", -0.3 * fall / aftermath_s, 1.5e-4, rate * 2, 0.3, 3000, -0.001, 0.02 / aftermath_s
        )
        self._after = self._calm._replace(name="after", oi_drift=0.0)
        self.burst = plan_burst(contracts, rng, phases) if phases.cascade_s > 0 else []
        start, self._burst_ends = phases.burst_ms
        self._burst_due = start - WINDOW_MS - 100

    def at(self, elapsed_ms: int) -> Phase:
        """Return the phase that rules `elapsed_ms` after the start."""
        calm, cascade = self.phases.calm_s * 1000, self.phases.cascade_s * 1000
        if elapsed_ms < calm:
            return self._calm
        if elapsed_ms < calm + cascade:
            return self._cascade
        return self._aftermath if elapsed_ms < self.phases.length_ms else self._after

    def reserved(self, elapsed_ms: int) -> bool:
        """Whether only the burst's own liquidations may happen: in it, and in the second before it."""
        return self._burst_due <= elapsed_ms < self._burst_ends and bool(self.burst)


def plan_burst(contracts: Sequence[Contract], rng: random.Random, phases: Phases) -> list[Planned]:
    """Return the burst's liquidations in order of time: exactly `phases.burst` of them are visible on the feeds.

    Where a feed shows one a second and symbol, more happen than are seen; the other venues make up the rest.
    """
    by_venue: dict[str, list[Contract]] = {}
    for contract in contracts:
        by_venue.setdefault(contract.venue, []).append(contract)
    hiding = [own for own in by_venue.values() if own[0].shows.largest_per_second]
    showing = [own for own in by_venue.values() if not own[0].shows.largest_per_second]
    planned: list[Planned] = []
    for own, count in zip(hiding, _shared(int(phases.burst * HIDDEN), len(hiding)), strict=True):
        planned += _draw(own, rng, count, phases)
    for own, count in zip(showing, _shared(phases.burst - _visible(planned), len(showing)), strict=True):
        planned += _draw(own, rng, count, phases)
    return sorted(planned, key=lambda one: one.at_ms)


def weight(contract: Contract) -> float:
    """How often a contract is hit: its part of open interest, flattened so that small coins show too."""
    return math.sqrt(contract.coin.oi) * contract.share * contract.coin.beta


def _shared(count: int, parts: int) -> list[int]:
    return [(count + part) // parts for part in range(parts)]


def _draw(contracts: Sequence[Contract], rng: random.Random, count: int, phases: Phases) -> list[Planned]:
    """Return liquidations at one venue."""
    start, end = phases.burst_ms
    chosen = rng.choices(contracts, [weight(c) for c in contracts], k=count)
    at = sorted(int(rng.triangular(start, end, start + (end - start) / 3)) for _ in range(count))
    drawn = [Planned(min(t, end - 1), c, rng.lognormvariate(0, 1.4)) for t, c in zip(at, chosen, strict=True)]
    return _with_twins(drawn, rng) if contracts[0].shows.twins else drawn


def _visible(planned: Sequence[Planned]) -> int:
    closes: dict[Contract, int] = {}
    seen = 0
    for one in planned:
        if one.at_ms >= closes.get(one.contract, -1):
            closes[one.contract] = one.at_ms + WINDOW_MS
            seen += 1
    return seen


def _with_twins(planned: list[Planned], rng: random.Random) -> list[Planned]:
    for i in range(1, len(planned)):
        if not planned[i - 1].twin and rng.random() < 0.03:
            planned[i] = planned[i - 1]._replace(twin=True)
    return planned
