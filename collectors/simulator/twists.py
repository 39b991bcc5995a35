"""What a fault does to the next frames of one connection: sent twice, out of order, cut. Pure."""

from typing import NamedTuple

from collectors.simulator.faults import Fault, Kind

TWISTS: tuple[Kind, ...] = ("repeat", "reorder", "cut_frame", "torn_frame")
HEAD_BYTES = 400


class Twisted(NamedTuple):
    """What goes out in a frame's place, whether the frame is whole in it, and whether the line is cut behind it."""

    data: bytes
    whole: bool = True
    cut: bool = False


class Twists:
    """The faults that wait for a connection's next frames, WebSocket frames already encoded."""

    def __init__(self) -> None:
        self._left: list[tuple[Fault, int]] = []
        self._held = b""

    def add(self, fault: Fault) -> None:
        """Let a fault hit the next `count` frames that name its channel; one where None."""
        self._left.append((fault, fault.count or 1))

    def __bool__(self) -> bool:
        return bool(self._left or self._held)

    def take(self, frame: bytes) -> Twisted:
        """Return what becomes of a frame. One held back by `reorder` goes out behind the next of any kind."""
        kind = self._hit(frame)
        if kind == "reorder" and not self._held:
            self._held = frame
            return Twisted(b"")
        held, self._held = self._held, b""
        if kind == "repeat":
            return Twisted(frame + frame + held)
        if kind == "cut_frame":
            return Twisted(_cut(frame) + held, whole=False)
        if kind == "torn_frame":
            return Twisted(held + frame[: len(frame) // 2], whole=False, cut=True)
        return Twisted(frame + held)

    def _hit(self, frame: bytes) -> Kind | None:
        for at, (fault, left) in enumerate(self._left):
            if fault.channel.encode() in frame[:HEAD_BYTES]:
                if left > 1:
                    self._left[at] = (fault, left - 1)
                else:
                    del self._left[at]
                return fault.kind
        return None


def _cut(frame: bytes) -> bytes:
    """Return a WebSocket frame with the first half of its payload."""
    length, start = frame[1], 2
    if length > 125:
        start = 4 if length == 126 else 10
        length = int.from_bytes(frame[2:start], "big")
    half = frame[start : start + length // 2]
    if len(half) < 126:
        return frame[:1] + bytes((len(half),)) + half
    if len(half) < 1 << 16:
        return frame[:1] + b"\x7e" + len(half).to_bytes(2, "big") + half
    return frame[:1] + b"\x7f" + len(half).to_bytes(8, "big") + half
