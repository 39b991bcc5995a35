"""The raw record: a frame as it came from the venue, and the Kafka record that carries it.

This module is the contract between the collectors, which write raw records, and the pipelines, which read them.

    topic    what the frame mainly carries (see `topics.py`)
    key      venue|channel|symbol, symbol `*` for frames of all symbols
    value    the frame, byte for byte
    headers  v, venue, channel, transport, recv_ns, session, seq: UTF-8 text, numbers in decimal; sent_ns, not in records
             from before it was added: the collector's clock, UTC nanoseconds, when the record was given to the producer

Topics have LogAppendTime, so a record's timestamp is Kafka's clock. `sent_ns` - `recv_ns` is how long the frame waited in
the collector, by one clock: the append time less that is when the frame arrived, by Kafka's clock.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

VERSION = "1"
MOST = 2**63 - 1  # what a signed 64-bit column holds
ALL_SYMBOLS = "*"

Transport = Literal["ws", "rest"]
Header = tuple[str, bytes]


class RawFrame(msgspec.Struct, frozen=True, gc=False):
    """One frame as received, with where it came from and, once consumed, where it lies in Kafka.

    `channel` is the exchange's word; a REST channel that needs a parameter to be read carries it after `@`
    (`um_klines@1m`). `recv_ns`: our clock, UTC nanoseconds since 1970, read when the frame arrived. `session` names one
    connection or one poller's life; `seq` counts its frames from 1 without gaps, control frames not counted.
    """

    venue: str
    channel: str
    symbol: str
    transport: Transport
    recv_ns: int
    session: str
    seq: int
    payload: bytes
    topic: str = ""
    partition: int = -1
    offset: int = -1


class Record(NamedTuple):
    """What is handed to, or comes from, a Kafka client."""

    key: bytes
    value: bytes
    headers: list[Header]


class NotARawRecordError(ValueError):
    """A Kafka record whose key or headers are not those of a raw record; says which part is wrong."""


def to_record(frame: RawFrame, sent_ns: int = 0) -> Record:
    """Return the Kafka record that carries `frame`; topic, partition and offset are Kafka's to keep.

    `sent_ns`: the clock that `recv_ns` is of, now; 0 where that is not known, and the record then does not have it.
    """
    headers = [
        ("v", VERSION.encode()),
        ("venue", frame.venue.encode()),
        ("channel", frame.channel.encode()),
        ("transport", frame.transport.encode()),
        ("recv_ns", str(frame.recv_ns).encode()),
        ("session", frame.session.encode()),
        ("seq", str(frame.seq).encode()),
    ]
    if sent_ns:
        headers.append(("sent_ns", str(sent_ns).encode()))
    return Record(f"{frame.venue}|{frame.channel}|{frame.symbol}".encode(), frame.payload, headers)


def from_record(
    key: bytes | None, value: bytes | None, headers: Sequence[Header], topic: str, partition: int, offset: int
) -> RawFrame:
    """Return the frame a Kafka record carries.

    Raises NotARawRecordError where a header is missing or malformed, the version is unknown, or there is no value.
    """
    found = dict(headers)
    try:
        if (version := found["v"]) != b"1":
            raise NotARawRecordError(f"raw record version {version!r} is not known here (known: {VERSION})")
        transport = _text(found["transport"])
        if transport not in ("ws", "rest"):
            raise NotARawRecordError(f"header transport is {transport!r}, not ws or rest")
        if value is None or key is None:
            raise NotARawRecordError("the record has no value" if value is None else "the record has no key")
        recv_ns, seq = int(found["recv_ns"]), int(found["seq"])
        if not (0 <= recv_ns <= MOST and 0 <= seq <= MOST):
            raise NotARawRecordError(f"recv_ns {recv_ns} or seq {seq} is not a number of 63 bits")
        return RawFrame(
            _text(found["venue"]), _text(found["channel"]), _symbol(key), transport,  # type: ignore[arg-type]
            recv_ns, _text(found["session"]), seq, value, topic, partition, offset,
        )  # fmt: skip
    except KeyError as missing:
        raise NotARawRecordError(f"header {missing.args[0]} is missing") from None
    except NotARawRecordError:
        raise
    except ValueError as error:
        raise NotARawRecordError(f"a header or the key is malformed: {error}") from None


@lru_cache(maxsize=4096)
def _text(header: bytes) -> str:
    return header.decode()


@lru_cache(maxsize=16384)
def _symbol(key: bytes) -> str:
    return key.decode().rsplit("|", 1)[1] if key.count(b"|") >= 2 else _malformed_key(key)


def _malformed_key(key: bytes) -> str:
    raise NotARawRecordError(f"key {key!r} is not venue|channel|symbol")
