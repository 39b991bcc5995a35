"""A recording's frames as raw frames of unknown arrival: each of the channel it names, or its wrapper, or the file's name."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from collectors.envelope import RawFrame
from collectors.printable import printable
from pipelines.reading.framing import Document, Reader, documents
from pipelines.reading.unpacking import Damage, Part, lines_of
from pipelines.venues import Named, Venue
from pipelines.venues.venue import Answered

NOT_TOLD = "?"  # symbol of rows from a REST answer that does not repeat what it was asked for
DUMP = "dump_"  # channels of CSV files, of which the whole is one frame
SUFFIXES = re.compile(r"(\.(jsonl|ndjson|json|txt|log|csv|gz|zip|lz4))+$")
SYMBOL = re.compile(r"[?&](?:symbol|pair)=([^&]+)")


class Options(NamedTuple):
    """What was asked for. `channel`: None where every frame names its own; `name`: of the input, in messages."""

    venue: Venue
    name: str
    channel: str | None = None
    symbol: str = "*"


def knows(venue: Venue, channel: str, transport: str | None = None) -> bool:
    """Say whether a venue has the channel, of one transport or any; a name ending in `*` is a prefix."""
    known = [name for kind, name in (*venue.parsers, *venue.nothing) if transport in (None, kind)]
    return channel in known or any(name.endswith("*") and channel.startswith(name[:-1]) for name in known)


def with_interval(venue: Venue, channel: str) -> str:
    """Return the channel with its interval not told, where its answers do not tell it."""
    return f"{channel}@{NOT_TOLD}" if channel.endswith(venue.unsaid_intervals) and "@" not in channel else channel


def channel_by_name(venue: Venue, file: str) -> str | None:
    """Return the channel a file is of by its name: rest_X.jsonl, X.jsonl of REST alone, a dump file; None: not told."""
    if (named := venue.named_file(file)) is not None and knows(venue, named.channel):
        return named.channel
    stem = printable(SUFFIXES.sub("", Path(file).name))
    if stem.startswith("rest_"):
        return with_interval(venue, stem.removeprefix("rest_"))
    only_rest = knows(venue, stem.partition("@")[0], "rest") and not knows(venue, stem, "ws")
    return with_interval(venue, stem) if only_rest else None


def frames(options: Options, source: BinaryIO) -> Iterator[RawFrame]:
    """Yield every frame of a recording, `seq` the number of its line from 1; where the file is damaged, a frame of the channel
    `?` and why. Raises OSError."""
    reader = Reader(lambda payload: _named(options.venue, payload), lambda text: _asked(options.venue, text),
                    options.channel is not None)  # fmt: skip
    lines = lines_of(source)
    first = next(lines, b"")
    named = options.venue.answer_of(first) if options.channel is None and isinstance(first, bytes) else None
    dump = options.channel or (named.channel if named else "")
    if dump.startswith(DUMP):
        yield from _of_dump(options, dump, [first, *lines])
        return
    for document in documents(chain((first,), lines), reader):
        yield frame_of(options, document)


def _named(venue: Venue, payload: bytes) -> Named | None:
    return venue.channel_of(payload) or venue.answer_of(payload)


def _asked(venue: Venue, text: str) -> Named | None:
    """Return what a recorder's word for it means: a channel of ours, or the address that was asked."""
    last = text.partition("?")[0].rstrip("/").rpartition("/")[2]
    host = "cm" if "dapi" in text else "um"
    spelled = (text, last, f"{host}_{last}")
    found = next((name for name in spelled if name and knows(venue, name.partition("@")[0])), None)
    symbol = SYMBOL.search(text)
    return Named(with_interval(venue, found), symbol[1] if symbol else "*") if found else None


def _of_dump(options: Options, channel: str, parts: list[Part]) -> Iterator[RawFrame]:
    """Yield the file as one frame, and where it is damaged another."""
    symbol = options.symbol
    if symbol in ("*", NOT_TOLD):
        named = options.venue.named_file(options.name)
        symbol = named.symbol if named else NOT_TOLD
    text = b"".join(part for part in parts if isinstance(part, bytes))
    yield RawFrame(options.venue.name, channel, symbol, "rest", 0, printable(options.name), "", "import", 1, text)
    for number, part in enumerate(parts, 1):
        if isinstance(part, Damage):
            yield _frame(options, f"?{part.why}", "*", "ws", Document(number, part.cut))


def frame_of(options: Options, document: Document) -> RawFrame:
    """Return a document as a raw frame of unknown arrival; a WebSocket message names its channel itself."""
    named, channel = document.named, options.channel or document.channel
    symbol = document.symbol if document.symbol not in (None, "*") else None
    answered = isinstance(named, Answered)
    if document.channel is not None and document.channel.startswith("?"):
        return _frame(options, document.channel, "*", "ws", document)
    if named is not None and not answered and (named.channel != "control" or channel is None):
        return _frame(options, named.channel, named.symbol, "ws", document)
    if named is not None and answered and (channel is None or not knows(options.venue, channel.partition("@")[0])):
        return _frame(options, named.channel, symbol or NOT_TOLD, "rest", document)
    if channel is None:
        return _frame(options, "?", "*", "ws", document)
    rest = knows(options.venue, channel.partition("@")[0], "rest")
    return _frame(options, channel, symbol or (NOT_TOLD if rest else "*"), "rest" if rest else "ws", document)


def _frame(
    options: Options, channel: str, symbol: str, transport: Literal["ws", "rest"], document: Document
) -> RawFrame:
    told = options.symbol if symbol == "*" or (symbol == NOT_TOLD and options.symbol != "*") else symbol
    return RawFrame(
        options.venue.name, channel, told, transport, 0, printable(options.name), "", "import", document.line,
        document.payload,
    )  # fmt: skip
