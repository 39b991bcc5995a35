"""What a backfill will ask a venue for, and what the venue no longer gives, in words. No I/O; times in UTC ms."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from math import ceil
from operator import attrgetter
from typing import NamedTuple

from collectors.errors import ConfigurationError
from collectors.history.covered import Covered
from collectors.history.endpoint import SINGLE, History, Series, What
from collectors.history.paging import BAR_SETTLES_MS, SETTLE_MS, Span, asked, request_count
from collectors.venues.venue import Listing, Rate

NAMED = 3


class Order(NamedTuple):
    """What is wanted: `symbols` empty for all listed; `period` of open interest and ratios, `interval` of klines."""

    what: tuple[What, ...]
    wanted: Span
    symbols: tuple[str, ...] = ()
    period: str = "5m"
    interval: str = "1m"

    def length(self, what: What) -> str:
        """Return the length of bars that is wanted, empty for settlements."""
        return "" if what in SINGLE else self.interval if what == "klines" else self.period


def series(history: History, listing: Listing, order: Order) -> list[Series]:
    """Return what is to be asked for, the series of one instrument side by side: they draw on different limits.

    Raises ConfigurationError for a symbol that is not listed, a bar length that the venue does not have.
    """
    listed = {item.symbol for items in listing.values() for item in items}
    if unknown := [symbol for symbol in order.symbols if symbol not in listed]:
        raise ConfigurationError(f"not among the {len(listed)} contracts listed now: {', '.join(unknown)}")
    endpoints = [each for each in history.endpoints if each.what in order.what]
    if not endpoints:
        kept = ", ".join(dict.fromkeys(each.what for each in history.endpoints))
        raise ConfigurationError(f"the venue gives no {', '.join(order.what)} of the past; it gives {kept}")
    for each in endpoints:
        if (length := order.length(each.what)) and length not in each.lengths:
            raise ConfigurationError(f"{each.channel} has no bars of {length}; there are {', '.join(each.lengths)}")
    found: dict[str, Series] = {}
    for group, items in listing.items():
        for item in items:
            for each in endpoints:
                wanted = each.group == group and (not order.symbols or item.symbol in order.symbols)
                if wanted and (named := each.names(item)):
                    one = Series(each, named, order.length(each.what))
                    found.setdefault(one.name, one)
    return list(found.values())


def gaps(one: Series, wanted: Span, covered: Covered, now: int) -> list[Span]:
    """Return what of a series is still to be asked for: wanted, kept by the venue, over, and not in Kafka yet."""
    settled = now - BAR_SETTLES_MS
    last = min(wanted.last, settled - settled % one.step_ms - 1 if one.step_ms else now)
    kept = one.kept_since(now) if one.step_ms else None
    first = wanted.first if kept is None else max(wanted.first, kept)
    found = covered.gaps(one.name, Span(first, last)) if first <= last else []
    return [gap for gap in found if asked(one, gap)]


def not_kept(found: Sequence[Series], wanted: Span, now: int) -> Iterator[str]:
    """Yield a line for what the venue keeps for less time than is wanted."""
    short: dict[str, dict[str, None]] = {}
    for one in found:
        kept, bars = one.kept_since(now), one.endpoint.keeps_bars
        if kept is not None and wanted.first < kept - SETTLE_MS:
            how = f"only the newest {bars:,} bars" if bars else f"for {one.endpoint.keeps_days} days only"
            short.setdefault(f"kept {how}, so nothing before {text(kept)}", {})[one.endpoint.what] = None
    for how, what in short.items():
        yield f"{' and '.join(what)}: {how}"


def lines(
    found: Sequence[Series], wanted: Span, covered: Covered, budgets: Mapping[str, Rate], share: float, now: int
) -> Iterator[str]:
    """Yield the plan: per channel the instruments and requests at most, and how long it takes inside the budget."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for channel, each in groupby(sorted(found, key=attrgetter("channel")), attrgetter("channel")):
        together = list(each)
        count = sum(request_count(one, gap) for one in together for gap in gaps(one, wanted, covered, now))
        endpoint, rate = together[0].endpoint, budgets[together[0].endpoint.budget]
        seconds[endpoint.budget] += count * endpoint.cost * rate.per_s / (rate.most * share)
        yield f"  {channel}: {len(together):,} instruments, at most {count:,} requests, {endpoint.cost} each of {_of(rate)}"
    if seconds:
        yield f"  in all about {ceil(max(seconds.values()) / 60):,} min at {share:.0%} of each budget"


def _of(rate: Rate) -> str:
    return f"{rate.most:,} in {rate.per_s:g} s"


def none_older(found: Collection[Series]) -> Iterator[str]:
    """Yield a line for each channel in which contracts have nothing as far back as was asked."""
    for channel, each in groupby(sorted(found, key=attrgetter("name")), attrgetter("channel")):
        symbols = [one.asked.symbol for one in each]
        more = f" and {len(symbols) - NAMED} more" if len(symbols) > NAMED else ""
        yield f"{channel}: the venue has nothing older of {', '.join(symbols[:NAMED])}{more}"


def text(ms: int) -> str:
    """Return a time as 2026-10-01 00:05 UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
