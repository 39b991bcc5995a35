"""What a venue is to the collectors: where to connect, what to ask for, how to name what comes back. No I/O here.

A venue file fills in one `Venue`: plain numbers and plain functions. Everything that connects, waits and repeats is in
`session.py`, `feed.py` and `poller.py` and is the same for all venues.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path, PurePath
from typing import Literal, NamedTuple

from collectors.envelope import Transport

WS_HOST = r"^wss?://[^/\s]+$"
REST_HOST = r"^https?://[^/\s]+$"

Operation = Literal["subscribe", "unsubscribe"]


class Source(NamedTuple):
    """The polls (`rest`) or the sockets (`ws`) whose frames go to a Kafka topic."""

    transport: Transport
    topic: str


class Frame(NamedTuple):
    """The name of a data frame: the exchange's word for the channel, the symbol (`*` for all), the Kafka topic.

    `acks`: the argument whose subscription the frame acknowledges, where a venue does that by the first data.
    """

    channel: str
    symbol: str
    topic: str
    acks: str = ""


class Control(NamedTuple):
    """A message about the connection itself, which is never stored as a frame.

    `id` is the request it answers (empty: not told), `arg` the one argument it answers, `args` several (both empty: the whole
    request). `renew` announces that the venue will soon close this connection. `ping` is answered with `detail`, if any.
    """

    kind: Literal["ack", "refused", "ping", "pong", "notice", "renew"]
    id: str = ""
    arg: str = ""
    detail: str = ""
    args: tuple[str, ...] = ()


class Stream(NamedTuple):
    """A WebSocket channel: the exchange's word, what it carries in words, the Kafka topic of its frames.

    `is_pulse`: it is subscribed for one contract alone, to see that the socket works.
    """

    channel: str
    carries: str
    topic: str
    is_pulse: bool = False


class Listed(NamedTuple):
    """An instrument that can be subscribed now. `underlying`: the index it follows, as the venue calls it (Binance: the
    pair); `family`: what shares its margin rules; `funding`: it pays funding."""

    symbol: str
    underlying: str = ""
    funding: bool = True
    family: str = ""


Listing = Mapping[str, Sequence[Listed]]
"""The venue's instruments by group (um, cm; linear, inverse; SWAP, FUTURES). A group not yet heard of is absent."""


PINGS = "ping"
"""The channel of the venue's own pings, for the liveness of a socket on which nothing else must come."""
ANY = "*"
"""Of a liveness: any channel, the venue's pings among them; acknowledgements are none."""


class Liveness(NamedTuple):
    """A socket with an argument that starts with `arg_prefix` is dead when `channel` brought nothing for `silent_s`."""

    channel: str
    arg_prefix: str
    silent_s: float


class Feed(NamedTuple):
    """One socket: its name in session ids, its URL, the arguments to subscribe in the venue's spelling.

    `liveness` None: the venue's. `topic`: the Kafka topic of all it brings, where a setting can leave that out. `routes`:
    other URLs that bring the same, where the venue has any. `headers`: what the handshake sends beside the usual.
    """

    name: str
    url: str
    args: tuple[str, ...]
    liveness: Liveness | None = None
    topic: str = ""
    routes: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


class Heartbeat(NamedTuple):
    """The venue's own ping: sent every `every_s`, or only after so long without any message when `when_quiet`."""

    message: str
    every_s: float
    when_quiet: bool = False


class Rate(NamedTuple):
    """At most `most` in any `per_s` seconds."""

    most: int
    per_s: float


class Limits(NamedTuple):
    """The venue's limits for WebSocket clients; `requests` and `spacing_s` are per connection, `connects` per IP.

    `opening_s`: so long after it connected a client must ask for nothing.
    """

    args_per_request: int
    args_per_socket: int
    connects: Rate
    requests: Rate
    spacing_s: float = 0.2
    chars_per_socket: int = 1_000_000
    opening_s: float = 0.0


class Newest(NamedTuple):
    """How a poll of what happens, newest first, asks for what it does not have yet: nothing is missed, and little comes twice.

    `newer`, `older`: the parameters for only what is newer or older than a time (UTC ms). `limit`: most items of an answer.
    `times`: the items' times, out of an answer. `first_s` set: the first round goes back so far, and both parameters are
    always sent. `behind_s`: of what is younger nothing is asked, for the venue may still change it.
    """

    newer: str
    older: str
    limit: int
    times: Callable[[bytes], Sequence[int]]
    first_s: float = 0.0
    behind_s: float = 0.0


class Poll(NamedTuple):
    """A REST request that is repeated every `every_s`. `cost`: what it takes of the venue's budget `budget`.

    `of` set: a request for each value it gives of an instrument of `group` (empty: of all groups), sent as `param`, up to
    `at_once` values in one, spread evenly over `spread_s` (0: `every_s`). Without `param` a value takes the place of {} in
    `url`. A value given twice is asked for once, an empty one not at all. `lists`: the answers are the instruments of
    `group`. `per_page` set: an answer holds so many instruments, and the pages are read to the end. `since`: a parameter
    that says how many seconds back, sent in ms. `newest`: a request is for what came since the answer before it, in as many
    pages as that takes. `topic_of`: the topic of an answer, where it depends on what is in it. `body`: JSON that is sent by
    POST; in it {} stands for a value, and the name of `since` in braces for that time. `part` set: only those of the values
    are asked for, from the first number to before the second, in the order of the list. `is_kept` False: its answers are a list
    for other polls alone, and no frames.
    """

    channel: str
    carries: str
    topic: str
    url: str
    every_s: float
    params: tuple[tuple[str, str], ...] = ()
    budget: str = "requests"
    cost: int = 1
    group: str = ""
    param: str = ""
    of: Callable[[Listed], str] | None = None
    at_once: int = 1
    spread_s: float = 0.0
    lists: bool = False
    per_page: int = 0
    since: tuple[str, float] | None = None
    newest: Newest | None = None
    topic_of: Callable[[bytes], str] | None = None
    body: str = ""
    part: tuple[int, int] = (0, 0)
    is_kept: bool = True

    def values(self, listing: Listing) -> list[str]:
        """Return what each request of a round asks for; one empty value where the answer is of all instruments."""
        if self.of is None:
            return [""] * self.pages(listing)
        groups = [self.group] if self.group else list(listing)
        values = dict.fromkeys(self.of(item) for group in groups for item in listing.get(group, ()))
        values.pop("", None)
        each = list(values)[slice(*self.part)] if any(self.part) else list(values)
        return [",".join(each[i : i + self.at_once]) for i in range(0, len(each), self.at_once)]

    def pages(self, listing: Listing) -> int:
        """Return how many pages an answer of all instruments takes."""
        return max(1, ceil(len(listing.get(self.group, ())) / self.per_page)) if self.per_page else 1


def symbol(item: Listed) -> str:
    """Return what a poll of every instrument asks for."""
    return item.symbol


def perpetual(item: Listed) -> str:
    """Return what a poll of the instruments that pay funding asks for."""
    return item.symbol if item.funding else ""


class Folder(NamedTuple):
    """Files that another program of the operator writes and that grow line by line, as those of a venue's node.

    `feed`: the name in session ids. `order`: when a file was begun, by its path in the folder, so that files can be read in
    order; None: it is none of them. `keeps`: whether a line is a frame; what is not kept stays in the operator's files alone.
    `silent_s`: after so long without a line nobody writes. `names`: what a line names that polls of `names_group` ask for.
    """

    feed: str
    channel: str
    carries: str
    topic: str
    path: Path
    order: Callable[[PurePath], tuple[int, ...] | None]
    keeps: Callable[[bytes], bool]
    silent_s: float = 60.0
    names: Callable[[bytes], Iterable[str]] | None = None
    names_group: str = ""


class Beside(NamedTuple):
    """A group of what is no instrument. `typical`: how many there are, for planning; `first`: those that are asked for before
    all others, listed or not. `listed_first`: so many of those listed come before what was seen elsewhere."""

    typical: int
    first: tuple[str, ...] = ()
    listed_first: int = 0


class Page(NamedTuple):
    """One page of instruments; `following` are the parameters to add for the next page, empty at the end."""

    listed: tuple[Listed, ...]
    following: tuple[tuple[str, str], ...] = ()


class Refusal(NamedTuple):
    """A REST answer that is not data. `stop_s` > 0: all polls of the venue must pause that long."""

    reason: str
    stop_s: float = 0.0


Params = tuple[tuple[str, str], ...]
"""What stands behind the ? of a request."""


class Answer(NamedTuple):
    """A REST answer as received; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_s: float
    """Our clock, UTC seconds since 1970."""


@dataclass(frozen=True)
class Venue:
    """Everything the collectors know of a venue. The functions are pure and `classify` and `refusal` never raise."""

    name: str
    limits: Limits
    budgets: Mapping[str, Rate]
    """The published limits for REST, each counted by itself, by the name that polls give."""
    polls: tuple[Poll, ...]
    feeds: Callable[[Listing], tuple[Feed, ...]]
    request: Callable[[Operation, str, Sequence[str]], str]
    """The message that subscribes to (or from) arguments, carrying an id."""
    classify: Callable[[bytes], Frame | Control | None]
    page: Callable[[bytes], Page]
    """The instruments in an answer. Raises msgspec.MsgspecError where it cannot be read."""
    refusal: Callable[[Answer], Refusal | None]
    stream: Callable[[str], Stream]
    """What an argument to subscribe to brings."""
    liveness: Liveness
    typical: Mapping[str, int]
    """How many instruments each group has by order of magnitude, for planning without asking."""
    heartbeat: Heartbeat | None = None
    used: Callable[[Mapping[str, str]], tuple[str, int] | None] | None = None
    """Which budget the venue says is used, and how much of it, from an answer's headers."""
    lifetime_s: float | None = None
    """A connection is replaced after so long, before the venue cuts it."""
    unpack: Callable[[bytes], bytes] | None = None
    """Takes a message out of what the venue packs it in (gzip), as is done with HTTP's packing; what it cannot unpack stays."""
    beside: Mapping[str, Beside] = field(default_factory=dict)
    """Groups of what is no instrument, such as accounts."""
    folders: tuple[Folder, ...] = ()
    """Files of the operator's that are followed, where there are any."""

    def without(self, left_out: Collection[Source]) -> "Venue":
        """Return the venue without these polls and feeds."""
        if not left_out:
            return self
        polls, feeds = tuple(poll for poll in self.polls if ("rest", poll.topic) not in left_out), self.feeds
        return replace(
            self, polls=polls, feeds=lambda listing: tuple(f for f in feeds(listing) if ("ws", f.topic) not in left_out)
        )


def polled_only(
    name: str, budgets: Mapping[str, Rate], polls: tuple[Poll, ...], page: Callable[[bytes], Page],
    refusal: Callable[[Answer], Refusal | None], typical: Mapping[str, int], folders: tuple[Folder, ...] = (),
    beside: Mapping[str, Beside] | None = None,
) -> Venue:  # fmt: skip
    """Return a venue without sockets: all of it is polled, or followed in files."""
    return Venue(
        name, Limits(1, 1, Rate(1, 1.0), Rate(1, 1.0)), budgets, polls, lambda _: (), lambda *_: "", lambda _: None, page,
        refusal, lambda arg: Stream(arg, "", ""), Liveness(ANY, "", 60.0), typical, beside=beside or {}, folders=folders,
    )  # fmt: skip
