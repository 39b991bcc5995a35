"""What collectors will do, as one table of text: channels, polls, and their share of each budget. No I/O."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil
from typing import NamedTuple

from collectors.live.shards import assign
from collectors.polls.budget import Bucket
from collectors.settings import CollectorSettings
from collectors.venues.venue import Feed, Listed, Listing, Poll, Venue

HEADINGS = ("venue", "what", "channel", "transport", "how often", "requests/min", "weight/min", "share of budget")
TOTALS = ("venue", "budget", "published limit", "requests/min", "weight/min", "share of budget", "never above")
SOCKETS = ("venue", "socket", "arguments", "requests", "characters", "URL")
MINUTE_S = 60.0


class Cost(NamedTuple):
    """What a poll takes while it polls, and `share` of the published limit of its budget."""

    requests_min: float
    weight_min: float
    share: float


def assumed(venue: Venue, symbols: int) -> Listing:
    """Return a listing of `symbols` made-up instruments, spread over the venue's groups as it does, all perpetual and
    each of a family of its own: no listing of as many costs more."""
    whole = sum(venue.typical.values())
    left, listing = symbols, {}
    for number, (group, share) in enumerate(venue.typical.items(), 1):
        count = left if number == len(venue.typical) else min(left, round(symbols * share / whole))
        left -= count
        names = [f"{group[:2]}COIN{i:04d}" for i in range(count)]
        listing[group] = tuple(Listed(f"{name}-USDT-X", f"{name}-USDT", family=f"{name}-USDT") for name in names)
    return {**listing, **others(venue)}


def others(venue: Venue) -> Listing:
    """Return made-up members of the groups that are no instruments, as many as there mostly are."""
    return {group: tuple(Listed(f"{group}{i}") for i in range(each.typical)) for group, each in venue.beside.items()}


def cost(venue: Venue, poll: Poll, listing: Listing, settings: CollectorSettings) -> Cost:
    """Return what a poll takes in the minutes it is busy; a daily one that is done in five counts as in those five."""
    within_s = (poll.spread_s or poll.every_s) * settings.poll_scale
    requests_min = len(poll.values(listing)) * MINUTE_S / within_s
    most, per_s = venue.budgets[poll.budget]
    return Cost(requests_min, requests_min * poll.cost, requests_min * poll.cost / (most * MINUTE_S / per_s))


def shares(venue: Venue, listing: Listing, settings: CollectorSettings) -> dict[str, Cost]:
    """Return per budget what all polls together take."""
    totals = dict.fromkeys(venue.budgets, Cost(0.0, 0.0, 0.0))
    for poll in venue.polls:
        one, so_far = cost(venue, poll, listing, settings), totals[poll.budget]
        totals[poll.budget] = Cost(*(a + b for a, b in zip(so_far, one, strict=True)))
    return totals


def lines(plans: Sequence[tuple[Venue, Listing]], settings: CollectorSettings) -> Iterator[str]:
    """Yield the plan for some venues, each with its instruments."""
    plans = [(venue.without(settings.left_out), listing) for venue, listing in plans]
    for venue, listing in plans:
        groups = {group: listed for group, listed in listing.items() if group not in venue.beside}
        counts = ", ".join(f"{len(listed)} {group}" for group, listed in groups.items())
        more = "".join(f", {len(listing.get(group, ()))} {group}" for group in venue.beside)
        yield f"{venue.name}: {sum(map(len, groups.values()))} instruments ({counts}){more}"
    for headings, rows in (
        (HEADINGS, [row for venue, listing in plans for row in _work(venue, listing, settings)]),
        (TOTALS, [row for venue, listing in plans for row in _totals(venue, listing, settings)]),
        (SOCKETS, [row for venue, listing in plans for row in _sockets(venue, listing)]),
    ):
        yield ""
        yield from _table(headings, rows)


def _work(venue: Venue, listing: Listing, settings: CollectorSettings) -> Iterator[Sequence[str]]:
    streams = Counter(venue.stream(arg) for feed in venue.feeds(listing) for arg in feed.args)
    for (channel, carries, *_), count in streams.items():
        yield venue.name, carries, channel, "ws", f"pushed, {count:,} {_plural(count, 'argument')}", "", "", ""
    for folder in venue.folders:
        yield venue.name, folder.carries, folder.channel, "file", f"followed: {folder.path}", "", "", ""
    for poll in venue.polls:
        requests = len(poll.values(listing))
        if requests:
            one = cost(venue, poll, listing, settings)
            yield (
                venue.name, poll.carries, poll.channel, "rest", _often(poll, requests, settings),
                f"{one.requests_min:.1f}", f"{one.weight_min:.1f}", f"{one.share:.2%} of {poll.budget}",
            )  # fmt: skip


def _often(poll: Poll, requests: int, settings: CollectorSettings) -> str:
    every, within = _duration(poll.every_s * settings.poll_scale), _duration(poll.spread_s * settings.poll_scale)
    return f"{requests:,} every {every}" + (f", within {within}" if poll.spread_s else "")


def _totals(venue: Venue, listing: Listing, settings: CollectorSettings) -> Iterator[Sequence[str]]:
    for name, total in shares(venue, listing, settings).items():
        most, per_s = venue.budgets[name]
        bucket = Bucket(venue.budgets[name], settings.rest_share)
        late = "" if total.share * most / per_s <= bucket.per_s else ", too little: polls will be late"
        yield (
            venue.name, name, f"{most:,} in {_duration(per_s)}", f"{total.requests_min:.1f}", f"{total.weight_min:.1f}",
            f"{total.share:.2%}", f"{settings.rest_share:.0%}{late}",
        )  # fmt: skip


def _sockets(venue: Venue, listing: Listing) -> Iterator[Sequence[str]]:
    for feed in (feed for wanted in venue.feeds(listing) for feed in assign(wanted, (), venue.limits)):
        requests = ceil(len(feed.args) / venue.limits.args_per_request)
        yield venue.name, feed.name, f"{len(feed.args):,}", f"{requests:,}", f"{_characters(venue, feed):,}", feed.url


def _characters(venue: Venue, feed: Feed) -> int:
    return len(venue.request("subscribe", "1", feed.args))


def _duration(seconds: float) -> str:
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table of text, columns of figures to the right."""
    columns = list(zip(headings, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [name.endswith(("/min", "arguments", "requests", "characters")) for name in headings]
    for row in (headings, ["-" * width for width in widths], *rows):
        cells = zip(row, widths, right, strict=True)
        yield "  ".join(
            text.rjust(width) if is_right else text.ljust(width) for text, width, is_right in cells
        ).rstrip()
