"""What each liquidation feed carries of all liquidations, as data: it differs by venue and channel and over time.

all                      every liquidation
one_per_second_latest    at most one per symbol and second, documented as the latest
one_per_second_disputed  at most one per symbol and second; sources disagree whether the latest or the largest
one_per_second_largest   at most one per symbol, position side and second, documented as the largest
one_per_second           at most one per symbol and second; which one is not documented
partial                  not all; how much is missing is not documented
undocumented             not known
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

START = datetime(2009, 1, 1, tzinfo=UTC)


class Rule(NamedTuple):
    """From `since` on, by the exchange's clock, the feed is of this class. `source`: exchanges/ section. `transport`: of what
    comes by it alone (ws or rest), empty: by either."""

    venue: str
    channel: str
    since: datetime
    completeness: str
    source: str
    transport: str = ""


def of_feed(rules: Sequence[Rule], channel: str, transport: str) -> list[Rule]:
    """Return the rules of a channel as it comes by a transport, oldest first."""
    return [rule for rule in rules if rule.channel == channel and rule.transport in ("", transport)]


def completeness(rules: Sequence[Rule], channel: str, transport: str = "ws") -> Callable[[int], str]:
    """Return the function that gives the class at an event time (UTC milliseconds), by a venue's rules for one feed."""
    own = of_feed(rules, channel, transport)
    classes = [rule.completeness for rule in own]
    bounds = [int(rule.since.timestamp() * 1000) for rule in own[1:]]
    return lambda ms: classes[bisect_right(bounds, ms)]
