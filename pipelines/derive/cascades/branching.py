"""How far liquidations set off others: a Hawkes process fitted by maximum likelihood, and whether it fits. Pure.

Intensity mu + sum over earlier t_i of n * beta * exp(-beta * (t - t_i)): n, the branching ratio, is the mean number of events
that one sets off directly. Definition and caveats: formulas.md §6; an n near 1 that fails its residuals means nothing.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

FASTEST = 1000.0  # 1/s: exchanges' clocks tick in milliseconds
COARSE = 13
FINE = 16
NEWTON = 40
GOLDEN = (math.sqrt(5) - 1) / 2


class Fit(NamedTuple):
    """`background` events a second; `branching_ratio`; `decay` 1/s; `ks` distance of the residuals, `log_likelihood`."""

    background: float
    branching_ratio: float
    decay: float
    ks: float
    log_likelihood: float


def fit(times: Sequence[float], length: float) -> Fit:
    """Fit a Hawkes process to events at `times` (rising, seconds from the start of the observation, which is `length` long).

    The decay is sought between 2 / length and 1000 a second, background and ratio solved for each (concave). `ks` is
    Stephens' modified Kolmogorov distance of the time-rescaled intervals from the unit exponential, for a fitted mean:
    (D - 0.2/N)(sqrt(N) + 0.26 + 0.5/sqrt(N)); 5 % of true models exceed 1.094. Needs at least two events.
    """
    lowest, highest = math.log(2 / length), math.log(FASTEST)
    step = (highest - lowest) / (COARSE - 1)
    grid = [lowest + step * at for at in range(COARSE)]
    best = max(grid, key=lambda decay: _profile(times, length, math.exp(decay))[0])
    decay = math.exp(_highest(lambda at: _profile(times, length, math.exp(at))[0], best - step, best + step))
    found, background, ratio = _profile(times, length, decay)
    return Fit(background, ratio, decay, _ks(residuals(times, background, ratio, decay)), found)


def worth(found: Fit, number: int) -> float:
    """Return the fit's log likelihood less BIC's price of its three parameters; `number` events."""
    return found.log_likelihood - 1.5 * math.log(number)


def _highest(value: Callable[[float], float], low: float, high: float) -> float:
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = value(left), value(right)
    for _ in range(FINE):
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = value(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = value(right)
    return (low + high) / 2


def _profile(times: Sequence[float], length: float, decay: float) -> tuple[float, float, float]:
    """Return log likelihood, background and ratio that are best for this decay."""
    excited = _excitement(times, decay)
    felt = sum(1 - math.exp(-decay * (length - t)) for t in times)
    background, ratio = 0.5 * len(times) / length, 0.5
    reached = _likelihood(excited, background, ratio, length, felt)
    for _ in range(NEWTON):
        step = _newton(excited, background, ratio, length, felt)
        size = 1.0
        while size > 1e-6:
            tried = max(background + size * step[0], 1e-12), max(ratio + size * step[1], 0.0)
            value = _likelihood(excited, *tried, length, felt)
            if value > reached:
                break
            size /= 2
        else:
            break
        gained, reached = value - reached, value
        background, ratio = tried
        if gained < 1e-7:
            break
    return reached, background, ratio


def _excitement(times: Sequence[float], decay: float) -> list[float]:
    """Return at each event what the earlier ones add to the intensity for a ratio of one."""
    excited, sum_before, before = [], 0.0, times[0]
    for at in times:
        sum_before *= math.exp(-decay * (at - before))
        excited.append(decay * sum_before)
        sum_before += 1
        before = at
    return excited


def _likelihood(excited: Sequence[float], background: float, ratio: float, length: float, felt: float) -> float:
    log = math.log
    return sum(log(background + ratio * one) for one in excited) - background * length - ratio * felt


def _newton(
    excited: Sequence[float], background: float, ratio: float, length: float, felt: float
) -> tuple[float, float]:
    """Return Newton's step of the concave likelihood in background and ratio."""
    g0, g1, h00, h01, h11 = -length, -felt, 0.0, 0.0, 0.0
    for one in excited:
        inverse = 1 / (background + ratio * one)
        weighted = one * inverse
        g0 += inverse
        g1 += weighted
        h00 += inverse * inverse
        h01 += inverse * weighted
        h11 += weighted * weighted
    determinant = h00 * h11 - h01 * h01
    if determinant <= 1e-12 * h00 * h11:  # all alike: only their sum is known
        return g0 / h00, 0.0
    if ratio <= 0 and g1 * h00 < g0 * h01:  # at the edge: no excitation at all is best
        return g0 / h00, 0.0
    return (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant


def residuals(times: Sequence[float], background: float, ratio: float, decay: float) -> list[float]:
    """Return the intervals between events in the model's own time: unit exponential and independent where it is true."""
    found, alive, before = [], 0.0, 0.0
    for at in times:
        faded = alive * math.exp(-decay * (at - before))
        found.append(background * (at - before) + ratio * (alive - faded))
        alive, before = faded + 1, at
    return found


def _ks(intervals: Sequence[float]) -> float:
    number = len(intervals)
    expected = [1 - math.exp(-one) for one in sorted(intervals)]
    distance = max(max((at + 1) / number - one, one - at / number) for at, one in enumerate(expected))
    return (distance - 0.2 / number) * (math.sqrt(number) + 0.26 + 0.5 / math.sqrt(number))
