"""What a venue's collectors will do, as text: sockets, subscriptions, polls and their share of the budget. No I/O."""

from collections.abc import Iterator
from math import ceil

from collectors.settings import CollectorSettings
from collectors.shards import assign
from collectors.venues.venue import Listed, Listing, Poll, Venue

SHOWN = 3


def assumed(venue: Venue, symbols: int) -> Listing:
    """Return a listing of `symbols` made-up instruments in each of the venue's groups, with names of usual length."""
    groups = dict.fromkeys(poll.group for poll in venue.polls if poll.lists)
    return {
        group: tuple(Listed(f"COIN{i:04d}-USDT-X", f"COIN{i:04d}-USDT") for i in range(symbols)) for group in groups
    }


def lines(venue: Venue, listing: Listing, settings: CollectorSettings) -> Iterator[str]:
    """Yield the plan for the instruments of `listing`."""
    yield f"{venue.name}: " + ", ".join(f"{len(listed)} {group}" for group, listed in listing.items())
    size, total = venue.limits.args_per_request, 0.0
    for wanted in venue.feeds(listing):
        for feed in assign(wanted, (), venue.limits):
            chars = len(venue.request("subscribe", "1", feed.args))
            shown = ", ".join(feed.args[:SHOWN]) + (", ..." if len(feed.args) > SHOWN else "")
            yield f"  socket {feed.name}  {feed.url}"
            yield f"    {len(feed.args)} arguments, {ceil(len(feed.args) / size)} requests, {chars} characters: {shown}"
    for poll in venue.polls:
        requests, period_s = _requests(poll, listing), poll.every_s * settings.poll_scale
        weight = requests * poll.cost * venue.budget.per_s / period_s
        total += weight
        share = weight / venue.budget.most
        params = "&".join("=".join(pair) for pair in poll.params)
        yield f"  poll {poll.channel}  {poll.url}{'?' if params else ''}{params}"
        yield (
            f"    {requests} requests every {period_s:g} s, weight {poll.cost} each: {share:.2%} of the budget"
            f" of {venue.budget.most} in {venue.budget.per_s:g} s"
        )
    yield f"  polls use {total / venue.budget.most:.2%} of the budget; at most {settings.rest_share:.0%} is ever used"


def _requests(poll: Poll, listing: Listing) -> int:
    return len(listing.get(poll.group, ())) if poll.symbol_param else 1
