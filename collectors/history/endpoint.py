"""What a venue keeps of the past and how it is asked for: plain numbers and plain functions, no I/O.

A venue's file fills in one `History`; the loop that pages through it is in `paging.py` and the same for all.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from urllib.parse import quote

import msgspec

from collectors.errors import NetworkError
from collectors.venues.venue import Listed, Params, Rate

MINUTE_MS = 60_000
DAY_MS = 86_400_000
CYCLE_MS = 8 * 60 * MINUTE_MS
"""The longest time between two settlements of funding: with so much more, pages share one, and no interval is lost between."""
LENGTHS_MS = {
    "1m": MINUTE_MS, "5m": 5 * MINUTE_MS, "15m": 15 * MINUTE_MS, "30m": 30 * MINUTE_MS, "1h": 60 * MINUTE_MS,
    "4h": 240 * MINUTE_MS, "1d": DAY_MS,
}  # fmt: skip

What = Literal["funding", "open-interest", "ratios", "klines", "liquidations"]
WHATS: tuple[What, ...] = ("funding", "open-interest", "ratios", "klines", "liquidations")
SINGLE: tuple[What, ...] = ("funding", "liquidations")
"""What comes one by one, not in bars."""
Order = Literal["bars", "oldest_first", "newest_first", "either"]
Clock = Literal["ms", "s", "iso"]
"""How a venue wants a time: UTC milliseconds, UTC seconds, or text after ISO 8601."""

_decode = msgspec.json.Decoder().decode


class Asked(NamedTuple):
    """How one instrument is asked for: the symbol its frames are filed under, and the parameters that name it."""

    symbol: str
    params: Params


class Endpoint(NamedTuple):
    """One history endpoint. `channel`: as the pipelines name it, without `@` and the length of its bars.

    `names`: how an instrument of the listing's `group` is asked for, None where the endpoint has nothing on it.
    `since`, `until`: parameters for the bounds; empty: the venue has none, and it is not sent. `clock`: how the bounds are
    sent; in seconds they are rounded outwards. In `url`, {} is the symbol and {length} the length.
    `rows`: where an answer has its rows, and `time` a row its time; or `times`: all of them, out of an answer.
    `lengths`: our bar lengths and the venue's spelling, sent as `length_param`. `order`: bars (a fixed grid, asked for in
    pieces that fit an answer, so that which end the venue starts from does not matter), or settlements page by page from
    the oldest or the newest; either: which end a full answer starts from is not known, so a stretch is halved until an
    answer is not full. `limit`: most rows of an answer, for `cost` of the budget `budget`.
    `overlap_ms`: so much more is asked for on either side of a stretch, of what is read with the row before it.
    `limit_param`: how that is called; empty: it is not sent.
    `body`, where it is set, is sent by POST, without parameters; {}, {since}, {until} and {length} in it are filled in.
    `sparse`: a time without a trade may have no bar, so an empty answer does not say that there is nothing older.
    How far back: `keeps_days`, or `keeps_bars`, or with neither to the contract's launch; `is_documented` False: that is not
    documented. `longest_days`: of one request.
    """

    what: What
    channel: str
    topic: str
    url: str
    group: str
    names: Callable[[Listed], Asked | None]
    since: str
    until: str
    limit: int
    budget: str
    order: Order
    rows: tuple[str, ...] = ()
    time: str | int = 0
    params: Params = ()
    cost: int = 1
    lengths: Mapping[str, str] = {}
    length_param: str = ""
    keeps_days: int | None = None
    keeps_bars: int | None = None
    longest_days: int | None = None
    overlap_ms: int = 0
    times: Callable[[bytes], Sequence[int]] | None = None
    limit_param: str = "limit"
    body: str = ""
    clock: Clock = "ms"
    sparse: bool = False
    is_documented: bool = True


class History(NamedTuple):
    """A venue's endpoints, and the limits they name beside those of its polls."""

    endpoints: tuple[Endpoint, ...]
    budgets: Mapping[str, Rate]


class Series(NamedTuple):
    """One endpoint's rows of one instrument. `length`: of its bars in our spelling, empty for settlements."""

    endpoint: Endpoint
    asked: Asked
    length: str = ""

    @property
    def channel(self) -> str:
        """The channel of its frames."""
        return f"{self.endpoint.channel}@{self.endpoint.lengths[self.length]}" if self.length else self.endpoint.channel

    @property
    def name(self) -> str:
        """What tells it from the venue's other series."""
        return f"{self.channel}|{self.asked.symbol}"

    @property
    def step_ms(self) -> int:
        """Length of a bar, 0 for settlements."""
        return LENGTHS_MS[self.length] if self.length else 0

    def kept_since(self, now: int) -> int | None:
        """Return the oldest time the venue still gives at `now`, UTC ms; None where it is the contract's launch."""
        if self.endpoint.keeps_bars is not None:
            return now - now % self.step_ms - (self.endpoint.keeps_bars - 1) * self.step_ms
        return None if self.endpoint.keeps_days is None else now - self.endpoint.keeps_days * DAY_MS + self.step_ms

    def params(self, first: int, last: int) -> Params:
        """Return the parameters that ask for [first, last].

        A millisecond more on either side: then it does not matter whether the venue takes a bound in or leaves it out.
        """
        endpoint = self.endpoint
        since, until = self._bounds(first, last)
        length = ((endpoint.length_param, endpoint.lengths[self.length]),) if self.length else ()
        bounds = (
            (endpoint.since, since),
            (endpoint.until, until),
            (endpoint.limit_param, str(endpoint.limit)),
        )
        return (*endpoint.params, *self.asked.params, *length, *(pair for pair in bounds if pair[0]))

    @property
    def url(self) -> str:
        """The address that is asked."""
        length = self.endpoint.lengths.get(self.length, "")
        return self.endpoint.url.replace("{}", quote(self.asked.symbol, safe=":")).replace("{length}", length)

    def body(self, first: int, last: int) -> str:
        """Return the body that asks for [first, last], as `params` does; empty where it is asked by its parameters."""
        since, until = self._bounds(first, last)
        length = self.endpoint.lengths.get(self.length, "")
        said = {"{}": self.asked.symbol, "{since}": since, "{until}": until, "{length}": length}
        body = self.endpoint.body
        for name, value in said.items():
            body = body.replace(name, value)
        return body

    def _bounds(self, first: int, last: int) -> tuple[str, str]:
        overlap_ms = self.endpoint.overlap_ms
        since, until = max(first - overlap_ms, 1) - 1, last + overlap_ms + 1
        if self.endpoint.clock == "s":
            return str(since // 1000), str(-(-until // 1000))
        return (_iso(since), _iso(until)) if self.endpoint.clock == "iso" else (str(since), str(until))

    def times(self, body: bytes) -> list[int]:
        """Return the time of every row of an answer, UTC ms. Raises NetworkError for an answer of another form."""
        try:
            if self.endpoint.times is not None:
                return list(self.endpoint.times(body))
            found = _decode(body)
            for name in self.endpoint.rows:
                found = found[name]
            return [int(row[self.endpoint.time]) for row in found]
        except (msgspec.MsgspecError, ValueError, TypeError, LookupError, RecursionError) as error:
            raise NetworkError(f"{self.name}: the answer is not a history: {error!r}") from None


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


def by_symbol(item: Listed) -> Asked:
    """Ask by the parameter `symbol`."""
    return Asked(item.symbol, (("symbol", item.symbol),))
