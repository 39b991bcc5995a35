"""Collectors' sessions without sockets and clocks: who listens to a simulated feed, and who polls; with their frames."""

import random
from collections import Counter
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.server import ServerConnection

from collectors.envelope import ALL_SYMBOLS, Origin, RawFrame, Transport
from collectors.events import EventName, event_frame
from collectors.session_names import Source
from collectors.simulator.host import Client
from collectors.venues.binance.simulator import BinanceProtocol
from collectors.venues.bybit.simulator import BybitProtocol
from collectors.venues.okx.simulator import OkxProtocol
from collectors.venues.venue import Control, Feed, Frame, Poll, Venue

MS = 1_000_000
LATENCY_MS = (5, 45)

Protocol = BinanceProtocol | BybitProtocol | OkxProtocol


class Clock:
    """Market time, UTC ms."""

    def __init__(self, now: int) -> None:
        self.now = now


class Recorded:
    """One session: numbers its frames and tells its events, at the clock's time and a network's latency."""

    def __init__(
        self, venue: Venue, feed: str, transport: Transport, clock: Clock, sink: list[RawFrame], source: Source = "live"
    ) -> None:
        started = clock.now * MS
        self._random = random.Random(f"{venue.name}/{feed}/{started}")
        session = f"{venue.name}-{feed}-{started:x}-{self._random.randrange(1 << 16):04x}"
        self.origin = Origin(venue.name, transport, session, feed, source)
        self.venue, self.frames = venue, 0
        self._clock, self._sink, self._last_ns = clock, sink, started

    def _received(self) -> int:
        apart = MS if self.origin.transport == "rest" else 0
        self._last_ns = max(self._last_ns + apart, self._clock.now * MS + self._random.randrange(*LATENCY_MS) * MS)
        return self._last_ns

    def frame(self, payload: bytes, name: Frame) -> None:
        """Keep a frame."""
        self.frames += 1
        received = self._received()
        venue, transport, *own = self.origin
        named = name.channel, name.symbol, transport, received
        self._sink.append(RawFrame(venue, *named, *own, self.frames, payload, name.topic))

    def event(self, event: EventName, reason: str = "", **detail: Any) -> None:
        """Tell what happened."""
        told = event_frame(self.origin, self.frames, event, reason, detail)
        now = self._received()
        payload = msgspec.json.encode(msgspec.json.decode(told.payload) | {"ts_ns": now})
        self._sink.append(msgspec.structs.replace(told, recv_ns=now, payload=payload))


class Ear(Client):
    """A client of the simulated server whose frames go to a session."""

    def __init__(self, path: str, recorded: Recorded) -> None:
        super().__init__(cast(ServerConnection, None), path, {})
        self._recorded = recorded

    def write(self, frame: bytes) -> bool:
        payload = frame[{126: 4, 127: 10}.get(frame[1], 2) :]
        name = self._recorded.venue.classify(payload)
        assert name is not None, payload[:200]
        if not isinstance(name, Control):
            self._recorded.frame(payload, name)
        return True


class Socket:
    """One connection of a feed: connected and subscribed at once, until it ends."""

    def __init__(self, venue: Venue, feed: Feed, protocol: Protocol, clock: Clock, sink: list[RawFrame]) -> None:
        self.recorded = Recorded(venue, feed.name, "ws", clock, sink)
        self.ear = Ear(urlsplit(feed.url).path, self.recorded)
        self._protocol = protocol
        self.recorded.event("connected", url=feed.url, arguments=len(feed.args))
        protocol.opened(self.ear)
        protocol.received(self.ear, venue.request("subscribe", "1", feed.args))
        self.recorded.event("subscribed", arguments=len(feed.args), channels=channels(venue, feed))

    def rolled_over(self) -> None:
        """End as planned, another session having taken over."""
        self._leave()
        self.recorded.event("rolled_over", "planned")
        self.recorded.event("disconnected", "rolled_over")

    def stopped(self) -> None:
        """End with the collector."""
        self._leave()
        self.recorded.event("stopped", "stopped")

    def cut(self) -> None:
        """The line breaks; it is told at once."""
        self._leave()
        self.recorded.event("disconnected", "connection lost")

    def _leave(self) -> None:
        for topic in list(self.ear.topics):
            self._protocol.host.unsubscribe(self.ear, topic)


class Poller:
    """A venue's poller."""

    def __init__(self, venue: Venue, clock: Clock, sink: list[RawFrame], feed: str = "rest") -> None:
        self.recorded = Recorded(venue, feed, "rest", clock, sink)
        told = {poll.channel: poll.topic for poll in venue.polls}
        self.recorded.event("started", channels=[{"channel": name, "topic": topic} for name, topic in told.items()])

    def answered(self, poll: Poll, value: str, body: bytes) -> None:
        """Keep an answer to what was asked of `value`."""
        symbol = value if value and poll.at_once == 1 else ALL_SYMBOLS
        self.recorded.frame(body, Frame(poll.channel, symbol, poll.topic))


def channels(venue: Venue, feed: Feed) -> list[dict[str, Any]]:
    """Return what `subscribed` tells of a feed's channels."""
    counts = Counter(venue.stream(arg) for arg in feed.args)
    return [{"channel": each.channel, "topic": each.topic, "arguments": n} for each, n in counts.items()]
