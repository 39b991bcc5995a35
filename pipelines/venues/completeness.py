"""What each liquidation feed carries of all liquidations, as data: it differs by venue and channel and over time.

all                      every liquidation
one_per_second_latest    at most one per symbol and second, documented as the latest
one_per_second_disputed  at most one per symbol and second; sources disagree whether the latest or the largest
one_per_second           at most one per symbol and second; which one is not documented
partial                  not all; how much is missing is not documented
undocumented             not known
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

START = datetime(2009, 1, 1, tzinfo=UTC)


class Rule(NamedTuple):
    """From `since` on, by the exchange's clock, the feed is of this class. `source`: exchanges/ section."""

    venue: str
    channel: str
    since: datetime
    completeness: str
    source: str


RULES = (
    Rule("binance", "forceOrder", START, "undocumented", "binance.md §2: throttled since about April 2021, no source"),
    Rule(
        "binance",
        "forceOrder",
        datetime(2021, 4, 27, tzinfo=UTC),
        "one_per_second_latest",
        "binance.md §2, docs 2026-01",
    ),
    Rule("binance", "forceOrder", datetime(2026, 5, 28, tzinfo=UTC), "one_per_second_disputed", "binance.md §2 [?]"),
    Rule("bybit", "allLiquidation", START, "all", "bybit.md §2: every 500 ms, all, since 2025-02-20"),
    Rule("bybit", "liquidation", START, "one_per_second", "bybit.md §2: capped sample, documented 2024-08-30"),
    Rule("okx", "liquidation-orders", START, "undocumented", "okx.md §2: REST only, until 2023-03"),
    Rule(
        "okx",
        "liquidation-orders",
        datetime(2023, 3, 30, tzinfo=UTC),
        "one_per_second",
        "okx.md §2: documented until spring 2026",
    ),
    Rule(
        "okx", "liquidation-orders", datetime(2026, 5, 27, tzinfo=UTC), "partial", "okx.md §2: cap no longer documented"
    ),
)


def completeness(venue: str, channel: str) -> Callable[[int], str]:
    """Return the function that gives the class at an event time (UTC milliseconds) for one feed."""
    rules = [rule for rule in RULES if (rule.venue, rule.channel) == (venue, channel)]
    classes = [rule.completeness for rule in rules]
    bounds = [int(rule.since.timestamp() * 1000) for rule in rules[1:]]
    return lambda ms: classes[bisect_right(bounds, ms)]
