"""What is collected of each venue: by kind of data how it comes, and how far back it can be asked for. No I/O."""

from collections.abc import Iterator
from typing import NamedTuple

from collectors.history.endpoint import History, What
from collectors.plan import assumed
from collectors.venues.known import HISTORIES, RECORDS
from collectors.venues.record import Kind, Record

KINDS: tuple[Kind, ...] = ("liquidations", "funding", "open interest", "mark", "index", "ratios", "klines")
"""The kinds of data that are shown, in this order."""
WHATS: dict[Kind, What] = {
    "liquidations": "liquidations", "funding": "funding", "open interest": "open-interest", "ratios": "ratios",
    "klines": "klines",
}  # fmt: skip
ENOUGH = 10
NONE = "-"


class Collected(NamedTuple):
    """`live`: pushed, followed (in files of the operator's) or how often it is polled; `history`: how far back `liq backfill`
    goes, or `not documented`; `-` for neither.

    `channels`: the channels that bring it.
    """

    venue: str
    kind: str
    live: str
    history: str
    channels: tuple[str, ...]


def matrix() -> list[Collected]:
    """Return a row a venue and kind of data."""
    return [row for name, record in RECORDS.items() for row in _of(record, HISTORIES[name]())]


def pushed_channels(record: Record) -> set[str]:
    """Return the channels of a venue's sockets, without those that are a pulse."""
    venue = record.venue()
    streams = {venue.stream(arg) for feed in venue.feeds(assumed(venue, ENOUGH)) for arg in feed.args}
    return {stream.channel for stream in streams if not stream.is_pulse}


def _of(record: Record, history: History) -> Iterator[Collected]:
    venue = record.venue()
    pushed, polls, followed = pushed_channels(record), venue.polls, {folder.channel for folder in venue.folders}
    for kind in KINDS:
        channels = record.collects.get(kind, ())
        every_s = [poll.every_s for poll in polls if poll.channel in channels]
        live = NONE if not every_s else f"polled each {_duration(min(every_s))}"
        live = "pushed" if pushed & {*channels} else "followed" if followed & {*channels} else live
        yield Collected(record.name, kind, live, _back(history, kind), channels)


def _back(history: History, kind: Kind) -> str:
    own = [each for each in history.endpoints if each.what == WHATS.get(kind)]
    if not own:
        return NONE
    if endless := [each for each in own if each.keeps_days is None and each.keeps_bars is None]:
        return "to the launch" if any(each.is_documented for each in endless) else "not documented"
    days = max(each.keeps_days or 0 for each in own)
    return f"{days} days" if days else f"{max(each.keeps_bars or 0 for each in own):,} bars"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
