"""What was written to our sockets: frames of liquidations as they pass, each with a mark of the connection that it went to.

The mark is whitespace behind the JSON, which no reader sees and the warehouse keeps: so each stored frame says by which
connection it came, and a frame that went to two sockets is two frames.
"""

import time
from collections import Counter
from typing import NamedTuple

from collectors.simulator.host import framed

HEADERS_END = b"\r\n\r\n"
BITS = 24
MARKERS = (b'"forceOrder"', b'"topic":"allLiquidation.', b'"liquidation-orders"')
ACKNOWLEDGES = b'"event":"'
FINAL_TEXT = 0x81


class Passed(NamedTuple):
    """A frame of liquidations that was written to a socket of ours: when (UTC ns), to which connection, its bytes."""

    at_ns: int
    connection: int
    payload: bytes


class Connection(NamedTuple):
    """A WebSocket connection of ours: through which proxy, of which venue, since when (UTC ns)."""

    number: int
    proxy: str
    venue: str
    at_ns: int


class Sent:
    """Everything that passed. `torn`: what may or may not have arrived, as its connection was cut while it was written."""

    def __init__(self) -> None:
        self.connections: dict[int, Connection] = {}
        self.passed: list[Passed] = []
        self.torn: Counter[bytes] = Counter()

    def connect(self, proxy: str, venue: str) -> "Marks":
        """Return the marks of a new connection."""
        one = Connection(len(self.connections) + 1, proxy, venue, time.time_ns())
        self.connections[one.number] = one
        return Marks(one.number)

    def tear(self, connection: int, waiting: int) -> None:
        """Note that a connection was reset while its last `waiting` bytes had not reached the other side."""
        for at in range(len(self.passed) - 1, -1, -1):
            if waiting <= 0:
                return
            if self.passed[at].connection == connection:
                self.torn[self.passed[at].payload] += 1
                waiting -= len(self.passed[at].payload)
                del self.passed[at]

    def copies(self) -> Counter[bytes]:
        """Return how often each frame was written to a socket; the mark makes it one of that connection."""
        return Counter(each.payload for each in self.passed)


class Marks:
    """Cuts one connection's bytes into frames and marks those that carry liquidations."""

    def __init__(self, connection: int) -> None:
        self._connection = connection
        self._tail = bytearray()
        self._is_socket: bool | None = None

    def feed(self, data: bytes) -> tuple[bytes, list[bytes]]:
        """Return the bytes to pass on now, and the marked frames among them. What is no WebSocket passes as it is."""
        if self._is_socket is False:
            return data, []
        self._tail += data
        out = bytearray()
        if self._is_socket is None and not self._handshake(out):
            return bytes(out), []
        marked = self._frames(out)
        return bytes(out), marked

    def rest(self) -> bytes:
        """Return what came of a frame that never ended."""
        return bytes(self._tail)

    def _handshake(self, out: bytearray) -> bool:
        end = self._tail.find(HEADERS_END)
        if end < 0:
            return False
        self._is_socket = self._tail.startswith(b"HTTP/1.1 101")
        length = end + len(HEADERS_END) if self._is_socket else len(self._tail)
        out += self._tail[:length]
        del self._tail[:length]
        return self._is_socket

    def _frames(self, out: bytearray) -> list[bytes]:
        marked = []
        at = 0
        while (span := _span(self._tail, at)) is not None:
            start, end = span
            payload = bytes(self._tail[start:end])
            if self._tail[at] == FINAL_TEXT and carries_liquidations(payload):
                payload += mark(self._connection)
                marked.append(payload)
                out += framed(payload)
            else:
                out += self._tail[at:end]
            at = end
        del self._tail[:at]
        return marked


def _span(data: bytearray, at: int) -> tuple[int, int] | None:
    """Return where the payload of the frame that begins at `at` starts and ends; None while it is not all there."""
    if len(data) < at + 2:
        return None
    length, start = data[at + 1] & 0x7F, at + 2
    if length > 125:
        start += 2 if length == 126 else 8
        if len(data) < start:
            return None
        length = int.from_bytes(data[at + 2 : start], "big")
    return (start, start + length) if len(data) >= start + length else None


def carries_liquidations(payload: bytes) -> bool:
    """Say whether a frame is one of a liquidation channel, whole or cut; acknowledgements are not."""
    head = payload[:200]
    return any(marker in head for marker in MARKERS) and ACKNOWLEDGES not in head


def mark(connection: int) -> bytes:
    """Return the mark of a connection."""
    return format(connection, f"0{BITS}b").translate({48: " ", 49: "\t"}).encode()


def unmarked(payload: bytes) -> tuple[bytes, int | None]:
    """Return a frame without its mark, and the connection it names; None where it has none."""
    end = payload[-BITS:]
    if len(end) < BITS or end.strip(b" \t"):
        return payload, None
    return payload[:-BITS], int(end.translate(bytes.maketrans(b" \t", b"01")), 2)
