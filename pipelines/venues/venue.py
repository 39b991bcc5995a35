"""What a venue gives to the pipelines: everything that shared code asks of it, its parsers by channel first."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Contract, Instrument, Nothing, Rejected, Row, Unit
from pipelines.venues import tables
from pipelines.venues.bulk import Bulk
from pipelines.venues.completeness import Rule
from pipelines.venues.latest import Latest
from pipelines.venues.symbols import SymbolForm
from pipelines.venues.wire import BAD, Held, Parser, reason, rejected, shown

_valid = msgspec.json.Decoder(msgspec.Raw).decode

Versions = list[tuple[datetime | None, Parser]]
"""Parsers of one channel, oldest first, each with the UTC instant until which it applies; None: still."""


class Named(NamedTuple):
    """What a WebSocket message says it is."""

    channel: str
    symbol: str


class Answered(Named):
    """What a REST answer or a file is, by what it holds; a channel that begins with `?` says why that cannot be told."""


def unnamed(_payload: bytes) -> Answered | None:
    """Name no answer: for a venue whose answers are always given with their channel."""
    return None


def _no_file(_name: str) -> Named | None:
    return None


def members(message: Mapping[str, Any], name: str) -> list[Any]:
    """Return what a list in a message has; nothing where there is no list of that name."""
    found = message.get(name)
    return found if isinstance(found, list) else []


def _nothing_asked(_message: Mapping[str, Any]) -> list[Named]:
    return []


def _none_left_out(_path: Path) -> str:
    return ""


class Kept(NamedTuple):
    """How what sessions hold is known again. `last`: SQL of session, symbol, and what `state` is given after the symbol, of the
    rows after $since and, where it is not null, up to $until. `newest`: SQL of the time of the newest such row. `by_session`:
    whether it ends with the session; else it is of a symbol, whichever session said it, under a name of its own."""

    last: str
    newest: str
    state: Callable[..., Any]
    by_session: bool = True


class Venue(NamedTuple):
    """`parsers` and `nothing` are by (transport, channel without its parameter); a name ending in `*` is a prefix.

    `nothing`: channels known to carry no row, and why. `channel_of`: names a WebSocket message. `symbol_form`: takes a
    symbol apart. `lists`: the REST channels whose answers, over all their pages, hold every contract of these groups;
    `group_of` says in which group a contract is. `answer_of`: names an answer that came without its channel.

    `completeness`: what each liquidation feed carries, from when on. `bulks` and `latest`, by (transport, channel): what reads
    many frames of a channel at once, saying what its parser says, and what reads a run of frames of which only the last value
    of each contract is wanted. `contract_lists`: channels that describe contracts. `unsaid_intervals`: ends of the names of
    REST channels whose answers do not say their interval. `margin_tables`: the REST channel whose answers are margin tables.
    `entry_based`: the kinds of contract (`linear`, `inverse`) whose maintenance margin is fixed at entry (formulas.md §1.2).
    `unlisted_interval_hours`: how often a perpetual pays funding that is not among the exceptions the venue lists; None:
    it lists every one. `kept`: where frames build on earlier ones of their session. `imports`: the
    module with its commands of `liq import`. `named_file`: channel and symbol of a file that the venue publishes, by its name.
    `left_out`: why a file that it publishes is not imported, empty for others.
    `units`: what a quantity of a kind of contract is in; `price_kind`, `oi_sides`: what a price of a liquidation and an open
    interest are. `archives`: what archives of many venues' data call it, by market. All three are for files of others.
    `archive_of`: of which of its `archives` a contract is, or a frame, given its symbol (* for several) and itself; None: there
    is one. `asked_for`: what a client's message to the venue's WebSocket subscribes to, nothing where it is another message.
    `to_be_said`: of channels whose answers do not say all, what whoever imports them must: `symbol`, `unit`.
    """

    name: str
    parsers: Mapping[tuple[str, str], Versions]
    nothing: Mapping[tuple[str, str], str]
    channel_of: Callable[[bytes], Named | None]
    symbol_form: Callable[[str], SymbolForm | None]
    lists: Mapping[str, Sequence[str]]
    group_of: Callable[[Instrument], str]
    answer_of: Callable[[bytes], Answered | None] = unnamed
    completeness: Sequence[Rule] = ()
    bulks: Mapping[tuple[str, str], Bulk] = {}
    latest: Mapping[tuple[str, str], Latest] = {}
    contract_lists: Sequence[str] = ()
    unsaid_intervals: tuple[str, ...] = ()
    margin_tables: str = ""
    entry_based: Sequence[str] = ()
    unlisted_interval_hours: float | None = None
    kept: Kept | None = None
    imports: str = ""
    named_file: Callable[[str], Named | None] = _no_file
    left_out: Callable[[Path], str] = _none_left_out
    units: Mapping[Contract, Unit] = {"linear": "base", "inverse": "contract"}
    price_kind: str = "undocumented"
    oi_sides: Literal["one", "both", "undocumented"] = "undocumented"
    archives: Sequence[str] = ()
    archive_of: Callable[[str, bytes], str] | None = None
    asked_for: Callable[[Mapping[str, Any]], list[Named]] = _nothing_asked
    to_be_said: Mapping[str, Sequence[str]] = {}


def always(parser: Parser) -> Versions:
    """Return the versions of a channel whose format never changed."""
    return [(None, parser)]


def find(venue: Venue, transport: str, channel: str) -> Parser:
    """Return the function that reads a channel's frames; for an unknown channel one that rejects them."""
    name = channel.partition("@")[0]
    if versions := _match(venue.parsers, transport, name):
        return versions[0][1] if versions == always(versions[0][1]) else _by_time(versions)
    if transport == "rest" and (make := tables.READERS.get(name)):
        return make(venue)
    if why := _match(venue.nothing, transport, name):
        return lambda _frame, _held: [Nothing(why)]
    if channel == "?":
        return _unnamed(venue.name)
    unknown = channel[1:] if channel[:1] == "?" else f"unknown channel {shown(channel)} of {venue.name}"
    return lambda _frame, _held: rejected(ValueError(unknown))


def _unnamed(venue: str) -> Parser:
    """Say of a message that names no channel why it gives no row."""
    empty: dict[bytes, Row] = {b"[]": Nothing("an empty list"), b"{}": Nothing("an empty object")}

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        text = frame.payload.strip()
        return [empty.get(text) or Rejected(f"no channel of {venue} is named{_broken(text)}")]

    return parse


def _broken(text: bytes) -> str:
    """Return what is wrong with a text as JSON; nothing where it is JSON."""
    try:
        text.decode()
        _valid(text)
    except BAD as error:
        return f": {reason(error)}"
    return ""


def _match(table: Mapping[tuple[str, str], object], transport: str, name: str):  # type: ignore[no-untyped-def]
    if (transport, name) in table:
        return table[transport, name]
    prefixes = [key for key in table if key[0] == transport and key[1].endswith("*") and name.startswith(key[1][:-1])]
    return table[max(prefixes, key=lambda key: len(key[1]))] if prefixes else None


def _by_time(versions: Versions) -> Parser:
    """Try the versions that apply when the frame came, oldest first (venues ran two side by side); the first that
    understands it reads it. A replay of old frames comes after all have ended: then every version is tried."""
    ends = [(int(until.timestamp() * 1e9) if until else None, parser) for until, parser in versions]

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        valid = [parser for end, parser in ends if frame.at_ns == 0 or end is None or frame.at_ns < end]
        rows: list[Row] = []
        for parser in valid or [parser for _, parser in ends]:
            rows = parser(frame, held)
            if not isinstance(rows[0], Rejected):
                return rows
        return rows

    return parse
