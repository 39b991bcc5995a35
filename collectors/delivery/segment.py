"""One file of the spool: frames of one topic in order, written by one process, read and cut by whoever drains it.

    file    MAGIC, then as unsigned 64-bit little endian: where the first frame that Kafka lacks begins, the number of frames
            written, the number of those that Kafka has; then records
    record  MARK, length, CRC-32, then that many bytes: a msgpack array of the frame's fields, and the boot of its steady clock;
            those that an older version did not write are missing at the end

A record is whole or it is not there: one whose CRC is wrong is skipped up to the next that is right, and at the end of a
file, where a killed process or a lost power left part of one, it is the end.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self
from zlib import crc32

import msgspec

from collectors.envelope import RawFrame, Transport
from collectors.moment import boot
from collectors.session_names import Source, feed_and_source

MAGIC = b"LIQSPL1\n"
HEADER = struct.Struct("<8sQQQ")
MARK = b"\xf1liq"
RECORD = struct.Struct("<4sII")
BLOCK_BYTES = 4 * 1024 * 1024
PRIVATE = 0o600

_encode = msgspec.msgpack.Encoder().encode


class _Fields(msgspec.Struct, frozen=True, array_like=True):
    venue: str
    channel: str
    symbol: str
    transport: Transport
    recv_ns: int
    session: str
    seq: int
    payload: bytes
    steady_ns: int = 0
    boot: str = ""
    feed: str = ""
    source: Source | None = None


_decode = msgspec.msgpack.Decoder(_Fields).decode


class Read(NamedTuple):
    """Frames read, where the next one begins, and how many bytes on the way were no record."""

    frames: list[RawFrame]
    next: int
    damaged: int


class Segment:
    """A file, open only while it is read or written, so that there may be many. All methods block."""

    def __init__(self, path: Path, topic: str) -> None:
        self.path = path
        self.topic = topic
        self.size = self.first = HEADER.size
        self.frames = 0
        self.done = 0

    @classmethod
    def create(cls, path: Path, topic: str) -> Self:
        """Make an empty one. Raises OSError."""
        made = cls(path, topic)
        try:
            with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
                os.pwrite(descriptor, made._header(), 0)
        except FileExistsError:
            raise
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return made

    @classmethod
    def found(cls, path: Path, topic: str) -> Self:
        """Take one that another process made. Raises OSError, and ValueError where the file is none."""
        there = cls(path, topic)
        with _opened(path, os.O_RDONLY) as descriptor:
            header = os.pread(descriptor, HEADER.size, 0)
            there.size = os.fstat(descriptor).st_size
        if len(header) < HEADER.size or not header.startswith(MAGIC):
            raise ValueError(f"{path} is not a spool file")
        _, first, there.frames, there.done = HEADER.unpack(header)
        there.first = max(HEADER.size, first)
        return there

    @property
    def waiting(self) -> int:
        """How many frames Kafka lacks, as far as the process that wrote them came to note."""
        return max(0, self.frames - self.done)

    @property
    def is_done(self) -> bool:
        """Whether Kafka has all of it."""
        return self.first >= self.size

    def append(self, frames: Sequence[RawFrame], sync: bool) -> None:
        """Write frames, all or none of them. `sync`: wait until the disk has them. Raises OSError."""
        data = b"".join(encode(frame) for frame in frames)
        with _opened(self.path, os.O_WRONLY) as descriptor:
            try:
                _write(descriptor, data, self.size)
                if sync:
                    os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, self.size)
                raise
            self.size += len(data)
            self.frames += len(frames)
            with suppress(OSError):  # what is not noted is sent again, and dropped where it is known
                os.pwrite(descriptor, self._header(), 0)

    def read(self, start: int, most_frames: int, most_bytes: int) -> Read:
        """Return frames from `start` on, as many as fit both limits but at least one. Raises OSError."""
        frames: list[RawFrame] = []
        at, damaged = start, 0
        with _opened(self.path, os.O_RDONLY) as descriptor:
            view = _View(descriptor, self.size)
            while at < self.size and len(frames) < most_frames and (at - start < most_bytes or not frames):
                body = view.record(at)
                if body is not None:
                    frames.append(_frame(_decode(body), self.topic))
                    at += RECORD.size + len(body)
                else:
                    following = view.following(at)
                    damaged += following - at
                    at = following
        return Read(frames, at, damaged)

    def settle(self, upto: int, frames: int) -> None:
        """Note that Kafka has what lies before `upto`, so many frames more than before."""
        self.first = max(self.first, upto)
        self.done += frames
        with suppress(OSError), _opened(self.path, os.O_WRONLY) as descriptor:
            os.pwrite(descriptor, self._header(), 0)

    def remove(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)

    def _header(self) -> bytes:
        return HEADER.pack(MAGIC, self.first, self.frames, self.done)


class _View:
    """Records of an open file, read by blocks."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size
        self._base = 0
        self._block = b""

    def record(self, at: int) -> bytes | None:
        """Return the body of the record that begins there; None where none does that is whole."""
        head = self._bytes(at, RECORD.size)
        if len(head) < RECORD.size:
            return None
        mark, length, crc = RECORD.unpack(head)
        if mark != MARK or at + RECORD.size + length > self._size:
            return None
        body = self._bytes(at + RECORD.size, length)
        return body if len(body) == length and crc32(body) == crc else None

    def following(self, at: int) -> int:
        """Return where the next whole record after `at` begins, or the end of the file."""
        rest = self._bytes(at, self._size - at)
        found = rest.find(MARK, 1)
        while found >= 0:
            if self.record(at + found) is not None:
                return at + found
            found = rest.find(MARK, found + 1)
        return self._size

    def _bytes(self, at: int, length: int) -> bytes:
        if at < self._base or at + length > self._base + len(self._block):
            self._base, self._block = at, os.pread(self._descriptor, max(BLOCK_BYTES, length), at)
        return self._block[at - self._base : at - self._base + length]


def encode(frame: RawFrame) -> bytes:
    """Return a frame's record."""
    body = _encode(_Fields(
        frame.venue, frame.channel, frame.symbol, frame.transport, frame.recv_ns, frame.session, frame.seq, frame.payload,
        frame.steady_ns, boot(), frame.feed, frame.source,
    ))  # fmt: skip
    return RECORD.pack(MARK, len(body), crc32(body)) + body


def _frame(of: _Fields, topic: str) -> RawFrame:
    """Return a frame; the steady clock of another boot says nothing here."""
    steady_ns = of.steady_ns if of.boot == boot() else 0
    feed, source = (of.feed, of.source) if of.source else feed_and_source(of.session, of.venue)
    return RawFrame(
        of.venue, of.channel, of.symbol, of.transport, of.recv_ns, of.session, feed, source, of.seq, of.payload, topic,
        steady_ns=steady_ns,
    )  # fmt: skip


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags, PRIVATE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes, at: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, at)
        rest, at = rest[written:], at + written
