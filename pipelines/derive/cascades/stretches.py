"""Where a coin's liquidations run above a pace. Pure: instants in, stretches out; times are whole microseconds."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

SECOND = 1_000_000
MINUTE = 60 * SECOND


class Stretch(NamedTuple):
    """A run of instants, both ends among them. Times in microseconds since 1970; amounts in millionths of a USD."""

    start: int
    end: int
    usd: int
    peak_second: int
    peak_second_usd: int
    peak_minute: int
    peak_minute_usd: int


def stretches(
    times: Sequence[int], usd: Sequence[int], floor_at: Callable[[int], float], gap_s: float
) -> Iterator[Stretch]:
    """Yield the stretches of one coin that run faster than their floor a minute and reach it in sum, in order of time.

    `times`: different instants, rising; `usd`: what was liquidated at each, in millionths. `floor_at`: the floor in USD of
    a stretch that starts at an instant, so that it depends on no earlier one. The score of a run is its USD
    less the pace times the time passed. A stretch starts where the score leaves zero and ends where it is highest; it is
    over when the score is back at zero, or has fallen from its highest by `gap_s` seconds of the pace. What came after the
    end is looked at again from there.
    """
    first = 0
    while first < len(times):
        floor_usd = floor_at(times[first])
        pace = floor_usd / 60  # USD a second, which is millionths a microsecond
        last = _last(times, usd, first, pace, pace * gap_s * SECOND)
        if sum(usd[first : last + 1]) >= floor_usd * SECOND:
            yield _stretch(times[first : last + 1], usd[first : last + 1])
        first = last + 1


def _last(times: Sequence[int], usd: Sequence[int], first: int, pace: float, drop: float) -> int:
    """Return the index of the highest score of the run that starts at `first`; the later of two that are alike."""
    score = highest = float(usd[first])
    last = first
    for at in range(first + 1, len(times)):
        score -= pace * (times[at] - times[at - 1])
        if score <= 0 or score <= highest - drop:
            break
        score += usd[at]
        if score >= highest:
            highest, last = score, at
    return last


def _stretch(times: Sequence[int], usd: Sequence[int]) -> Stretch:
    return Stretch(times[0], times[-1], sum(usd), *busiest(times, usd, SECOND), *busiest(times, usd, MINUTE))


def busiest(times: Sequence[int], usd: Sequence[int], width: int) -> tuple[int, int]:
    """Return start and USD of the `width` microseconds that hold most, beginning with an instant; the first of equals."""
    best_at, best, held, after = times[0], -1, 0, 0
    for at, start in enumerate(times):
        while after < len(times) and times[after] < start + width:
            held += usd[after]
            after += 1
        if held > best:
            best_at, best = start, held
        held -= usd[at]
    return best_at, best
