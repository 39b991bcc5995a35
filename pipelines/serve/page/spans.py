"""The times that a coin's page can show: how long, in bars of which length."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pipelines.serve.given import bad

HOUR = timedelta(hours=1)
EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)


class Span(NamedTuple):
    """A time up to now, in bars of `bar` from `since` on, which is a whole number of them."""

    since: datetime
    until: datetime
    bar: timedelta


SPANS = {
    "1h": (HOUR, timedelta(minutes=1)),
    "4h": (4 * HOUR, timedelta(minutes=1)),
    "12h": (12 * HOUR, timedelta(minutes=5)),
    "1d": (24 * HOUR, timedelta(minutes=5)),
    "3d": (72 * HOUR, timedelta(minutes=15)),
    "7d": (168 * HOUR, timedelta(minutes=30)),
    "30d": (720 * HOUR, HOUR * 2),
    "90d": (2160 * HOUR, HOUR * 6),
    "1y": (8760 * HOUR, HOUR * 24),
}
"""By name: how long, and how long a bar is."""


def span(name: str, until: datetime) -> Span:
    """Return the span of that name that ends at `until`. Raises ProblemError where there is none of that name."""
    if name not in SPANS:
        raise bad(f"range is one of {', '.join(SPANS)}")
    length, bar = SPANS[name]
    since = until - length
    return Span(EPOCH + (since - EPOCH) // bar * bar, until, bar)


def seconds(moment: datetime) -> int:
    """Return a time (UTC, without a zone) as seconds since 1970."""
    return int((moment - EPOCH).total_seconds())
