"""Faults on demand: what a venue does wrong, for how long or how often. Pure; the clock is passed in, in seconds."""

from collections.abc import Mapping, Sequence
from itertools import chain, cycle
from typing import Any

import msgspec

Kind = str
KINDS: tuple[Kind, ...] = (
    "drop", "silent", "half_open", "garbage", "refuse_topic", "big_frame", "notice",
    "repeat", "reorder", "cut_frame", "torn_frame", "flood",
)  # fmt: skip
"""Those of every venue; the answers to HTTP with which one refuses are its own."""
AT_ONCE = (
    "drop", "half_open", "garbage", "big_frame", "notice", "repeat", "reorder", "cut_frame", "torn_frame", "flood",
)  # fmt: skip
GARBAGE = (
    b'{"topic":"tickers.BTCUSDT","type":"snap',
    b"",
    b"<html><body>502 Bad Gateway</body></html>",
    b'{"e":"nobodyKnows","E":1,"topic":"nobodyKnows.X","arg":{"channel":"nobodyKnows"},"data":[]}',
    b"[1,2,",
    b'"just text"',
    b"\xff\xfe\x00 not UTF-8",
)


class Fault(msgspec.Struct):
    """`channel`: part of a channel, topic or path that is hit, all where empty; `size`: bytes of a big frame.

    drop cuts up to `count` connections (all where None), and for `seconds` refuses new ones; half_open freezes them.
    garbage, big_frame and notice send `count` frames (one where None), flood so many made-up liquidations at once. The next
    `count` frames of each connection: repeat sends them twice, reorder behind the one that follows, cut_frame as the first
    half of their JSON, torn_frame as the first half of a WebSocket frame before the line is cut. The others last `seconds`,
    or `count` hits, whichever ends first; ten seconds where neither is given.
    """

    kind: Kind
    venue: str
    channel: str = ""
    seconds: float | None = None
    count: int | None = None
    size: int = 20 * 1024 * 1024

    def hits(self, venue: str, name: str) -> bool:
        """Whether it means this channel or path of this venue."""
        return self.venue == venue and self.channel.lower() in name.lower()


class FaultError(ValueError):
    """A fault that does not exist; says what does."""


class Faults:
    """The faults that are on. `refusals`: by venue, the kinds of answers to HTTP with which it refuses."""

    def __init__(self, refusals: Mapping[str, Sequence[Kind]]) -> None:
        self._venues = tuple(refusals)
        self._kinds = tuple(dict.fromkeys((*KINDS, *chain.from_iterable(refusals.values()))))
        self._until: list[tuple[float, Fault]] = []
        self._garbage = cycle(GARBAGE)

    def add(self, now: float, **wanted: Any) -> Fault:
        """Turn one on and return it. Raises FaultError where kind, venue or a number is not understood."""
        try:
            fault = msgspec.convert(wanted, Fault)
        except msgspec.ValidationError as error:
            raise FaultError(f"{error}; kinds are {', '.join(self._kinds)}") from None
        if fault.kind not in self._kinds:
            raise FaultError(f"kind is {fault.kind!r}, not one of {', '.join(self._kinds)}")
        if fault.venue not in self._venues:
            raise FaultError(f"venue is {fault.venue!r}, not one of {', '.join(self._venues)}")
        lasting = fault.kind not in AT_ONCE
        if lasting and fault.seconds is None and fault.count is None:
            fault.seconds = 10.0
        if lasting or (fault.kind == "drop" and fault.seconds is not None):
            self._until.append((now + (fault.seconds if fault.seconds is not None else float("inf")), fault))
        return fault

    def clear(self) -> None:
        """Turn all of them off."""
        self._until = []

    def active(self, now: float, kind: Kind, venue: str, name: str = "") -> bool:
        """Whether a fault of this kind is on for the channel or path; nothing is used up."""
        if not self._until:
            return False
        self._forget(now)
        return any(fault.kind == kind and fault.hits(venue, name) for _, fault in self._until)

    def take(self, now: float, kinds: tuple[Kind, ...], venue: str, name: str) -> Kind | None:
        """Return the kind that hits, and count it as one hit."""
        self._forget(now)
        for _, fault in self._until:
            if fault.kind in kinds and fault.hits(venue, name):
                if fault.count is not None:
                    fault.count -= 1
                return fault.kind
        return None

    def garbage(self) -> bytes:
        """Return the next of some frames that no venue sends."""
        return next(self._garbage)

    def _forget(self, now: float) -> None:
        kept = ((until, f) for until, f in self._until if now < until)
        self._until = [(until, f) for until, f in kept if f.kind == "drop" or f.count is None or f.count > 0]
