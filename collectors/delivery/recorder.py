"""One session's identity: numbers its frames, names those it cannot keep, and tells its events."""

import logging
import time
from typing import Any, Protocol

from collectors import moment
from collectors.delivery.counts import BEGINS, COUNTS, ENDS
from collectors.envelope import ALL_SYMBOLS, Origin, RawFrame, Transport
from collectors.events import EventName, event_frame
from collectors.session_names import Source, session_name
from collectors.topics import DEAD_LETTER, LIQUIDATION
from collectors.venues.venue import Frame

UNNAMED = "?"
LONGEST_SYMBOL = 64

QUIET: frozenset[EventName] = frozenset(
    {"connected", "started", "subscribed", "resumed", "rolled_over", "stopped", "heard_again"}
)

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where frames go: the publisher."""

    def put(self, frame: RawFrame) -> None:
        """Take a frame; never blocks and never drops."""

    def takes(self, topic: str) -> bool:
        """Say whether there is room for a topic's frames; if not, a reader must wait for `room()`."""

    async def room(self, topic: str = LIQUIDATION) -> None:
        """Wait until there is room for a topic's frames."""

    def is_gapped(self, session: str) -> bool:
        """Say, once, that frames of a session were given up, so that what follows them lacks what they changed."""


class Recorder:
    """Gives each frame of one session its `seq` and hands it on. One recorder is one session."""

    def __init__(self, venue: str, feed: str, transport: Transport, sink: Sink, source: Source = "live") -> None:
        self.origin = Origin(venue, transport, session_name(venue, feed), feed, source)
        self.frames = 0
        self._is_open = False
        self._sink = sink

    @property
    def session(self) -> str:
        """The session's name."""
        return self.origin.session

    def frame(self, payload: bytes, name: Frame | None, recv_ns: int, steady_ns: int = 0) -> None:
        """Keep a frame under its name; one without a name goes to the dead letters, counted like any other.

        `recv_ns`, `steady_ns`: when it came, by the clocks of `moment.Moment`; `steady_ns` 0: now.
        """
        self.frames += 1
        channel, symbol, topic = name[:3] if name else (UNNAMED, ALL_SYMBOLS, DEAD_LETTER)
        venue, transport, session, feed, source = self.origin
        COUNTS.heard[(venue, channel)] = recv_ns / 1e9
        COUNTS.frames[(venue, channel)] += 1
        if len(symbol) > LONGEST_SYMBOL or "|" in symbol or not symbol:
            symbol = ALL_SYMBOLS  # not a symbol; it would make a key that cannot be read back
        self._sink.put(RawFrame(
            venue, channel, symbol, transport, recv_ns, session, feed, source, self.frames, payload, topic,
            steady_ns=steady_ns or moment.steady_ns(),
        ))  # fmt: skip

    def skip(self, topic: str) -> int:
        """Count a frame that is not kept; return its number, which is to be named in a `dropped` event."""
        self.frames += 1
        COUNTS.given_up[topic] += 1
        COUNTS.given_up_at = time.time()
        return self.frames

    def event(self, event: EventName, reason: str = "", /, **detail: Any) -> None:
        """Publish what happened to the session, with the number of its frames so far, and log it."""
        told = event_frame(self.origin, self.frames, event, reason, detail)
        self._sink.put(told)
        self._count(event)
        level = logging.DEBUG if event == "alive" else logging.INFO if event in QUIET else logging.WARNING
        log.log(level, "%s session=%s frames=%d reason=%r%s", event, self.session, self.frames, reason, _line(detail))

    def _count(self, event: EventName) -> None:
        COUNTS.events[(self.origin.venue, event)] += 1
        if (event in BEGINS) != self._is_open and event in BEGINS | ENDS:
            self._is_open = not self._is_open
            COUNTS.sessions[(self.origin.venue, self.origin.transport)] += 1 if self._is_open else -1


def _line(detail: dict[str, Any]) -> str:
    return "".join(f" {key}={str(value)[:200]!r}" for key, value in detail.items())
