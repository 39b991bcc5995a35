"""What a venue is to the collectors: where to connect, what to ask for, how to name what comes back. No I/O here.

A venue file fills in one `Venue`: plain numbers and plain functions. Everything that connects, waits and repeats is in
`session.py`, `feed.py` and `poller.py` and is the same for all venues.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

WS_HOST = r"^wss?://[^/\s]+$"
REST_HOST = r"^https?://[^/\s]+$"

Operation = Literal["subscribe", "unsubscribe"]


class Frame(NamedTuple):
    """The name of a data frame: the exchange's word for the channel, the symbol (`*` for all), the Kafka topic."""

    channel: str
    symbol: str
    topic: str


class Control(NamedTuple):
    """A message about the connection itself, which is never stored as a frame.

    `id` is the request it answers (empty: not told), `arg` the one argument it answers (empty: the whole request).
    `renew` announces that the venue will soon close this connection.
    """

    kind: Literal["ack", "refused", "pong", "notice", "renew"]
    id: str = ""
    arg: str = ""
    detail: str = ""


class Listed(NamedTuple):
    """An instrument that can be subscribed now. `underlying`: the index it follows, as the venue calls it;
    `funding`: it pays funding."""

    symbol: str
    underlying: str = ""
    funding: bool = True


Listing = Mapping[str, Sequence[Listed]]
"""The venue's instruments by group (um, cm; linear, inverse; SWAP, FUTURES). A group not yet heard of is absent."""


class Feed(NamedTuple):
    """One socket: its name in session ids, its URL, the arguments to subscribe in the venue's spelling."""

    name: str
    url: str
    args: tuple[str, ...]


class Liveness(NamedTuple):
    """A socket with an argument that starts with `arg_prefix` is dead when `channel` brought nothing for `silent_s`."""

    channel: str
    arg_prefix: str
    silent_s: float


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
    """The venue's limits for WebSocket clients; `requests` and `spacing_s` are per connection, `connects` per IP."""

    args_per_request: int
    args_per_socket: int
    connects: Rate
    requests: Rate
    spacing_s: float = 0.2
    chars_per_socket: int = 1_000_000


class Poll(NamedTuple):
    """A REST request that is repeated every `every_s`. `cost`: its weight in the venue's budget.

    `symbol_param` set: one request for each symbol of the listing's `group`, spread evenly over `every_s`.
    `lists`: the answers are the instruments of `group`, page by page.
    """

    channel: str
    topic: str
    url: str
    every_s: float
    params: tuple[tuple[str, str], ...] = ()
    cost: int = 1
    group: str = ""
    symbol_param: str = ""
    lists: bool = False


class Page(NamedTuple):
    """One page of instruments; `following` are the parameters to add for the next page, empty at the end."""

    listed: tuple[Listed, ...]
    following: tuple[tuple[str, str], ...] = ()


class Refusal(NamedTuple):
    """A REST answer that is not data. `stop_s` > 0: all polls of the venue must pause that long."""

    reason: str
    stop_s: float = 0.0


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
    budget: Rate
    polls: tuple[Poll, ...]
    feeds: Callable[[Listing], tuple[Feed, ...]]
    request: Callable[[Operation, str, Sequence[str]], str]
    """The message that subscribes to (or from) arguments, carrying an id."""
    classify: Callable[[bytes], Frame | Control | None]
    page: Callable[[bytes], Page]
    """The instruments in an answer. Raises msgspec.MsgspecError where it cannot be read."""
    refusal: Callable[[Answer], Refusal | None]
    liveness: Liveness
    heartbeat: Heartbeat | None = None
    used: Callable[[Mapping[str, str]], int | None] | None = None
    """The part of the budget the venue says is used, from an answer's headers."""
    lifetime_s: float | None = None
    """A connection is replaced after so long, before the venue cuts it."""
