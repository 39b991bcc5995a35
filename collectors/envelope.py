"""The raw record: a frame as it came from the venue, and the Kafka record that carries it.

This module is the contract between the collectors, which write raw records, and the pipelines, which read them.

    topic    what the frame mainly carries (see `topics.py`)
    key      venue|channel|symbol, symbol `*` for frames of all symbols
    value    the frame, byte for byte
    headers  v, venue, channel, transport, recv_ns, session, feed, source, seq, and mostly sent_ns: UTF-8 text, numbers in
             decimal. Version 1 had no feed and no source; `session_names.py` finds them in the session's name
    stamp    of a topic with LogAppendTime: the broker's clock when it took the record

Only the broker's clock says when a frame arrived, so that several collectors, one with a wrong clock among them, agree:
`arrival_ns`. `recv_ns` is the collector's clock; `sent_ns` minus `recv_ns` is how long the frame waited before it was sent,
by a clock that nobody sets.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

from collectors.session_names import Source, feed_and_source

VERSION = "2"
BEFORE = "1"
"""The version that has no headers `feed` and `source`; it is read, and not written any more."""
MOST = 2**63 - 1  # what a signed 64-bit column holds
MOST_SEQ = 10**12
"""No session counts so far: ten thousand frames a second for three years."""
BEHIND_NS = 60_000_000_000
"""A collector's clock that is further behind the broker's than this is not believed."""
LONGEST_WAIT_NS = 30 * 86_400 * 1_000_000_000
"""A frame that seems to have waited longer came before its collector's clock was set and the machine started anew."""
MS_NS = 1_000_000
ALL_SYMBOLS = "*"
LONGEST_NAME = 200
LONGEST_SYMBOL = 64

Transport = Literal["ws", "rest"]
TRANSPORTS: dict[bytes, Transport] = {b"ws": "ws", b"rest": "rest"}
SOURCES: dict[bytes, Source] = {b"live": "live", b"backfill": "backfill", b"import": "import"}
Header = tuple[str, bytes]


class RawFrame(msgspec.Struct, frozen=True, gc=False):
    """One frame as received, with where it came from and, once consumed, where it lies in Kafka.

    `channel` is the exchange's word; a REST channel that needs a parameter to be read carries it after `@`
    (`um_klines@1m`). `recv_ns`: the collector's clock, UTC nanoseconds since 1970, read when the frame arrived. `session`
    names one connection or one poller's life; `feed` is the name of that socket or poller, which its next session has again.
    `source`: live, backfill (asked from the venue later) or import (from a file). `seq` counts the session's frames from 1
    without gaps, control frames not counted.
    `arrived_ns`: when the frame arrived by the broker's clock, see `arrival_ns`; 0: as recv_ns. `appended_ms`: when the
    broker took the record, UTC milliseconds; 0: the topic does not say. `steady_ns`: when the frame arrived by the
    collector's steady clock (`moment.py`), until it is sent; 0: not known.
    """

    venue: str
    channel: str
    symbol: str
    transport: Transport
    recv_ns: int
    session: str
    feed: str
    source: Source
    seq: int
    payload: bytes
    topic: str = ""
    partition: int = -1
    offset: int = -1
    arrived_ns: int = 0
    appended_ms: int = 0
    steady_ns: int = 0

    @property
    def at_ns(self) -> int:
        """When the frame arrived, UTC nanoseconds; 0: not known, as of a recording."""
        return self.arrived_ns or self.recv_ns


class Origin(NamedTuple):
    """Where the frames of one session come from; the fields are those of `RawFrame`."""

    venue: str
    transport: Transport
    session: str
    feed: str
    source: Source


class Record(NamedTuple):
    """What is handed to, or comes from, a Kafka client."""

    key: bytes
    value: bytes
    headers: list[Header]


class NotARawRecordError(ValueError):
    """A Kafka record whose key or headers are not those of a raw record; says which part is wrong."""


def to_record(frame: RawFrame, sent_ns: int = 0) -> Record:
    """Return the Kafka record that carries `frame`; topic, partition and offset are Kafka's to keep.

    `sent_ns`: `recv_ns` and how long the frame has waited; 0 where that is not known, and the record then does not have it.
    """
    headers = [
        *_headers(frame.venue, frame.channel, frame.transport, frame.session, frame.feed, frame.source),
        ("recv_ns", str(frame.recv_ns).encode()),
        ("seq", str(frame.seq).encode()),
    ]
    if sent_ns:
        headers.append(("sent_ns", str(sent_ns).encode()))
    return Record(f"{frame.venue}|{frame.channel}|{frame.symbol}".encode(), frame.payload, headers)


@lru_cache(maxsize=8192)
def _headers(venue: str, channel: str, transport: str, session: str, feed: str, source: str) -> tuple[Header, ...]:
    """Return the headers that are the same in many records."""
    return (
        ("v", VERSION.encode()),
        ("venue", venue.encode()),
        ("channel", channel.encode()),
        ("transport", transport.encode()),
        ("session", session.encode()),
        ("feed", feed.encode()),
        ("source", source.encode()),
    )


def arrival_ns(recv_ns: int, latest_ns: int, sent_ns: int | None = None) -> int:
    """Return when a frame arrived, UTC nanoseconds, by the clock of `latest_ns`; the same for the same record at any time.

    `recv_ns`: the collector's clock when the frame came; `sent_ns`: that and how long the frame waited. `latest_ns`: when the
    broker took the record, or now by the reader's clock where it does not say and `sent_ns` is None. A collector's clock that
    is ahead never counts, one that is behind by up to BEHIND_NS does.
    """
    if sent_ns is None:
        return min(recv_ns, latest_ns)
    waited = sent_ns - recv_ns
    arrived = latest_ns - waited if 0 < waited <= LONGEST_WAIT_NS else latest_ns
    return recv_ns if arrived - BEHIND_NS <= recv_ns <= arrived else arrived


def from_record(
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[Header],
    topic: str,
    partition: int,
    offset: int,
    appended_ms: int = 0,
    now_ns: int = MOST,
) -> RawFrame:
    """Return the frame a Kafka record carries.

    `appended_ms`: the record's time stamp where the topic has LogAppendTime, else 0; then `now_ns` is the reader's clock.
    Raises NotARawRecordError where a header is missing or malformed, the version is unknown, or there is no value.
    """
    found = dict(headers)
    try:
        channel, (venue, transport, session, feed, source) = _named(
            found["v"], found["venue"], found["channel"], found["transport"], found["session"], found.get("feed"),
            found.get("source"),
        )  # fmt: skip
        if value is None or key is None:
            raise NotARawRecordError("the record has no value" if value is None else "the record has no key")
        recv_ns, seq, sent = int(found["recv_ns"]), int(found["seq"]), found.get("sent_ns")
        if not (0 <= recv_ns <= MOST and 0 <= seq <= MOST_SEQ):
            raise NotARawRecordError(
                f"recv_ns {recv_ns} is not a number of 63 bits, or seq {seq} is no count of frames"
            )
        # the broker counts in milliseconds, so the frame may have come until the end of that one
        latest_ns = appended_ms * MS_NS + MS_NS - 1 if appended_ms else now_ns
        arrived_ns = arrival_ns(recv_ns, latest_ns, _sent(sent) if appended_ms and sent is not None else None)
        return RawFrame(
            venue, channel, _symbol(key), transport, recv_ns, session, feed, source, seq, value, topic, partition, offset,
            arrived_ns, appended_ms,
        )  # fmt: skip
    except KeyError as missing:
        raise NotARawRecordError(f"header {missing.args[0]} is missing") from None
    except NotARawRecordError:
        raise
    except ValueError as error:
        raise NotARawRecordError(f"a header or the key is malformed: {error}") from None


@lru_cache(maxsize=8192)
def _named(
    version: bytes, venue: bytes, channel: bytes, transport: bytes, session: bytes, feed: bytes | None,
    source: bytes | None,
) -> tuple[str, Origin]:  # fmt: skip
    """Return channel and origin out of the headers that are the same in many records. Raises NotARawRecordError, ValueError."""
    if version not in (VERSION.encode(), BEFORE.encode()):
        raise NotARawRecordError(
            f"raw record version {version[:LONGEST_NAME]!r} is not known here (known: {BEFORE}, {VERSION})"
        )
    if transport not in TRANSPORTS:
        raise NotARawRecordError(f"header transport is {transport[:LONGEST_NAME]!r}, not ws or rest")
    if not (channel and session):
        raise NotARawRecordError("header channel or session is empty")
    own = _text(venue), TRANSPORTS[transport], _text(session)
    told = feed_and_source(own[2], own[0]) if version == BEFORE.encode() else _told(feed, source)
    return _text(channel), Origin(*own, *told)


def _told(feed: bytes | None, source: bytes | None) -> tuple[str, Source]:
    """Return feed and source out of their headers. Raises NotARawRecordError, ValueError."""
    if feed is None or source is None:
        raise NotARawRecordError(f"header {'feed' if feed is None else 'source'} is missing")
    if not feed:
        raise NotARawRecordError("header feed is empty")
    if source not in SOURCES:
        raise NotARawRecordError(f"header source is {source[:LONGEST_NAME]!r}, not live, backfill or import")
    return _text(feed), SOURCES[source]


def _text(header: bytes) -> str:
    text = header.decode()
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise NotARawRecordError(f"header {header[:LONGEST_NAME]!r} is longer than {LONGEST_NAME} or not printable")
    return text


def _sent(header: bytes) -> int:
    sent_ns = int(header)
    if not 0 <= sent_ns <= MOST:
        raise NotARawRecordError(f"sent_ns {sent_ns} is not a number of 63 bits")
    return sent_ns


@lru_cache(maxsize=16384)
def _symbol(key: bytes) -> str:
    if key.count(b"|") < 2:
        raise NotARawRecordError(f"key {key[:LONGEST_NAME]!r} is not venue|channel|symbol")
    symbol = key.decode().rsplit("|", 1)[1]
    if not 0 < len(symbol) <= LONGEST_SYMBOL or not symbol.isprintable():
        raise NotARawRecordError(f"the key's symbol {symbol[:LONGEST_SYMBOL]!r} is empty, longer than {LONGEST_SYMBOL} or "
                                 "not printable")  # fmt: skip
    return symbol
