"""What to ask for next of a stretch of time, and what an answer has covered of it. Pure: the clock is passed in, UTC ms."""

from collections.abc import Sequence
from typing import NamedTuple

from collectors.errors import NetworkError
from collectors.history.endpoint import DAY_MS, Series

SETTLE_MS = 3_600_000
"""What is younger may still be missing at the venue; it counts as covered only up to the newest row that came."""
BAR_SETTLES_MS = 60_000
"""So long after its end a bar is not asked for yet: it could come as it ran, and would count as covered."""


class Span(NamedTuple):
    """A stretch of time, UTC ms, both ends in it."""

    first: int
    last: int


class Step(NamedTuple):
    """After an answer: what of the gap is covered now, what is left to ask for, and whether the venue has no older.

    `narrower`: what of the rest must be asked for next, where the answer did not have all of what was asked.
    """

    covered: Span | None
    rest: Span | None
    at_its_end: bool = False
    narrower: Span | None = None


def asked(series: Series, gap: Span) -> Span | None:
    """Return what one request asks for of a gap: all of it, or of bars the newest that surely fit; None: no bar in it."""
    step = series.step_ms
    if not step:
        longest_days = series.endpoint.longest_days
        return gap if longest_days is None else Span(max(gap.first, gap.last - longest_days * DAY_MS + 1), gap.last)
    newest, oldest = gap.last - gap.last % step, gap.first + -gap.first % step
    if newest < oldest:
        return None
    bars = series.endpoint.limit - 1  # one less than allowed, should a bound be rounded down
    if series.endpoint.longest_days is not None:
        bars = min(bars, series.endpoint.longest_days * DAY_MS // step)
    return Span(max(oldest, newest - (bars - 1) * step), newest)


def request_count(series: Series, gap: Span) -> int:
    """Return about how many requests a gap takes, at most, as far as that can be said before asking."""
    step = series.step_ms or 3_600_000
    return max(1, -(-(gap.last - gap.first) // (step * max(1, series.endpoint.limit - 1))))


def after(series: Series, gap: Span, span: Span, times: Sequence[int], now: int) -> Step:
    """Return what follows from an answer with rows at `times` to the request for `span` of `gap`.

    A row from beyond the far end of the span says that the answer has all of the span: some venues take one bound only.
    Raises NetworkError where the answer is full of rows that were not asked for: paging would never end.
    """
    inside = [time for time in times if span.first <= time <= span.last]
    full = len(times) >= series.endpoint.limit and not _reaches_beyond(series, span, times)
    if series.endpoint.order == "either":
        return _narrowed(series, gap, span) if full else _stretch(gap, span, inside, now, ends=False)
    if full and not inside:
        raise NetworkError(f"{series.name}: a full answer, but no row from the time that was requested")
    if series.endpoint.order == "bars":
        return _stretch(gap, span, inside, now, ends=not series.endpoint.sparse)
    if not full:
        return Step(_settled(gap, inside, now), None)
    if series.endpoint.order == "oldest_first":
        newest = max(inside)
        return Step(Span(gap.first, newest), Span(newest + 1, gap.last) if newest < gap.last else None)
    oldest = min(inside)
    rest = Span(gap.first, oldest - 1) if gap.first < oldest else None
    return Step(_settled(Span(oldest, gap.last), inside, now), rest)


def _reaches_beyond(series: Series, span: Span, times: Sequence[int]) -> bool:
    if series.endpoint.order == "newest_first":
        return min(times) < span.first
    return series.endpoint.order == "oldest_first" and max(times) > span.last


def _narrowed(series: Series, gap: Span, span: Span) -> Step:
    if span.first >= span.last:
        raise NetworkError(f"{series.name}: more rows at one instant than an answer has, {span.first} ms")
    return Step(None, gap, narrower=Span((span.first + span.last) // 2 + 1, span.last))


def _stretch(gap: Span, span: Span, inside: Sequence[int], now: int, ends: bool) -> Step:
    if ends and not inside and span.last < now - DAY_MS:
        return Step(Span(gap.first, gap.last), None, at_its_end=True)
    rest = Span(gap.first, span.first - 1) if gap.first < span.first else None
    return Step(_settled(Span(span.first, gap.last), inside, now), rest)


def _settled(span: Span, inside: Sequence[int], now: int) -> Span | None:
    last = min(span.last, max(now - SETTLE_MS, max(inside, default=0)))
    return Span(span.first, last) if last >= span.first else None
