"""One WebSocket connection's life, the same for all venues: connect, subscribe, ping, read, until it ends.

Every frame is passed on exactly as it arrived. However the connection ends, the session's last event has its number of
frames. Reconnects are done by `feed.py`.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from collectors.delivery.intake import Intake
from collectors.delivery.recorder import Recorder, Sink
from collectors.errors import NetworkError
from collectors.events import ALIVE_S
from collectors.live.pulse import Pulse
from collectors.live.subscriptions import Subscriptions
from collectors.polls.budget import Bucket
from collectors.retry import describe
from collectors.settings import CollectorSettings
from collectors.topics import MAX_FRAME_BYTES
from collectors.venues.venue import PINGS, Control, Feed, Venue

LARGEST_MESSAGE = MAX_FRAME_BYTES - 64 * 1024
"""Bytes; the rest of Kafka's limit is for the record's key and headers."""
QUEUED_MESSAGES = 1024
TICK_S = 0.1

Ending = Literal["stopped", "rolled_over"]


class SilentError(NetworkError):
    """A connection is open, but data that must arrive all the time does not."""


class Ended(NamedTuple):
    """The session before this one, which failed, and when it did (monotonic seconds)."""

    session: str
    at: float


class Session:
    """One connection. Call `run` once. `ready` is set when everything is subscribed and the first data has arrived."""

    def __init__(
        self, venue: Venue, feed: Feed, sink: Sink, settings: CollectorSettings, after: Ended | None = None
    ) -> None:
        self.recorder = Recorder(venue.name, feed.name, "ws", sink)
        self.subscriptions = Subscriptions(venue, feed.args)
        self.ready = asyncio.Event()
        self.renew = asyncio.Event()
        """Set when another should take over: the venue will close this one, or frames were given up in the middle of it."""
        self._venue = venue
        self._feed = feed
        self._sink = sink
        self._settings = settings
        self._after = after
        self.is_connected = False
        self._ending: Ending | None = None
        self._stop = asyncio.Event()
        liveness = feed.liveness or venue.liveness
        silent_s = settings.silent_s or liveness.silent_s
        self._pulse = Pulse(liveness, venue.heartbeat, silent_s, time.monotonic())
        self._intake = Intake(self.recorder, sink, self._pulse.hold, lambda: self._pulse.release(time.monotonic()))

    async def run(self) -> Exception | None:
        """Live until stopped (returns None) or until the connection fails (returns why)."""
        failure: Exception | None = None
        try:
            await self._connected()
        except (OSError, WebSocketException, NetworkError) as error:
            failure = None if self._ending else error
        except BaseException as error:
            self._tell_end(describe(error))
            raise
        if self._ending == "rolled_over":
            self.recorder.event("rolled_over", "planned")
        self._tell_end(describe(failure) if failure else "")
        return failure

    def stop(self, ending: Ending = "stopped") -> None:
        """End in good order: unsubscribe, keep what is still on its way, close."""
        self._ending = ending
        self._stop.set()

    @property
    def heard(self) -> Mapping[str, float]:
        """When each channel last brought a frame, monotonic seconds."""
        return self._pulse.heard

    def want(self, args: tuple[str, ...]) -> None:
        """Subscribe to what is new in `args` and unsubscribe from what is gone, on the open connection."""
        self.subscriptions.want(args, time.monotonic())

    def _tell_end(self, reason: str) -> None:
        self._intake.tell()
        self.recorder.event("stopped" if self._ending == "stopped" else "disconnected", reason or self._ending or "")

    async def _connected(self) -> None:
        settings = self._settings
        async with connect(
            self._feed.url,
            open_timeout=settings.open_timeout_s,
            ping_interval=settings.keepalive_s,
            ping_timeout=settings.keepalive_s,
            close_timeout=settings.close_timeout_s,
            max_size=LARGEST_MESSAGE,
            max_queue=QUEUED_MESSAGES,
            compression=None,
            additional_headers=self._feed.headers,
        ) as connection:
            self.is_connected = True
            self._pulse.release(time.monotonic())
            self.recorder.event("connected", url=self._feed.url, arguments=len(self.subscriptions.wanted))
            await self._until_first_end(connection)

    async def _until_first_end(self, connection: ClientConnection) -> None:
        """Read, watch and wait for the stop, and after the first of them that ends read what is still on its way."""
        reading = asyncio.create_task(self._read(connection))
        others = [asyncio.create_task(self._watch(connection)), asyncio.create_task(self._stop.wait())]
        try:
            await asyncio.wait([reading, *others], return_when=asyncio.FIRST_COMPLETED)
            for task in others:
                task.cancel()  # one that still sends would keep the connection from being closed
            if self._stop.is_set():
                await self._unsubscribe(connection)
            await self._close(connection)
            await asyncio.wait([reading], timeout=self._settings.close_timeout_s)
        finally:
            for task in (reading, *others):
                task.cancel()
            ends = await asyncio.gather(*others, reading, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def _close(self, connection: ClientConnection) -> None:
        """Close in good order, or, where the venue takes nothing any more, at once."""
        try:
            async with asyncio.timeout(2 * self._settings.close_timeout_s):
                await connection.close()
        except TimeoutError:
            connection.transport.abort()

    async def _send(self, connection: ClientConnection, message: str) -> None:
        """Send a message. Raises NetworkError where the venue does not take it: it reads nothing any more."""
        try:
            async with asyncio.timeout(self._settings.ack_timeout_s):
                await connection.send(message)
        except TimeoutError:
            raise NetworkError(f"the venue did not accept a message for {self._settings.ack_timeout_s:.0f} s") from None

    async def _unsubscribe(self, connection: ClientConnection) -> None:
        with suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(self._settings.close_timeout_s):
                for message in self.subscriptions.leave():
                    await connection.send(message)

    async def _read(self, connection: ClientConnection) -> None:
        classify, unpack, pulse = self._venue.classify, self._venue.unpack, self._pulse
        while True:
            payload = await connection.recv(decode=False)
            recv_ns = time.time_ns()
            payload = unpack(payload) if unpack else payload
            name = classify(payload)
            if isinstance(name, Control):
                pulse.hear(time.monotonic(), PINGS if name.kind == "ping" else "")
                if name.kind != "ping":
                    self._control(name)
                elif name.detail:
                    await self._send(connection, name.detail)
                continue
            pulse.hear(time.monotonic(), name.channel if name else "")
            if name and name.acks:
                self.subscriptions.answer(Control("ack", arg=name.acks), time.monotonic())
            await self._intake.take(payload, name, recv_ns)

    def _control(self, control: Control) -> None:
        if control.kind == "pong":
            return
        if control.kind in ("ack", "refused"):
            outcome = self.subscriptions.answer(control, time.monotonic())
            if outcome is not None:
                self._tell_refused(outcome.refused, outcome.detail)
                return
        self.recorder.event("notice", control.detail or control.kind, id=control.id, argument=control.arg)
        if control.kind == "renew":
            self.renew.set()

    def _tell_refused(self, args: tuple[str, ...], why: str) -> None:
        if args:
            self.recorder.event("refused", why, arguments=args)

    async def _watch(self, connection: ClientConnection) -> None:
        """Send what is to be sent, and raise when the connection brings nothing of what it must."""
        requests = Bucket(self._venue.limits.requests)
        opened = time.monotonic()
        sent_at, was_settled, alive_at = 0.0, False, opened + ALIVE_S
        while True:
            now = time.monotonic()
            if now >= alive_at:
                alive_at = now + ALIVE_S
                self.recorder.event("alive", quiet_s=round(self._pulse.quiet_s(now), 1))
            if self._intake.look() or self._sink.is_gapped(self.recorder.session):
                self.renew.set()
            is_open = now - opened >= self._venue.limits.opening_s
            if is_open and now - sent_at >= self._venue.limits.spacing_s and not requests.wait_s():
                sent_at = now if await self._ask(connection, requests, now) else sent_at
            if ping := self._pulse.ping(now):
                await self._send(connection, ping)
            self._check(now)
            settled = self.subscriptions.settled
            if settled and not was_settled:
                active = self.subscriptions.active
                self.recorder.event("subscribed", arguments=len(active), channels=self._channels(active))
            if settled and (self._pulse.beaten or not self._pulse.ticks(self.subscriptions.active)):
                self._tell_ready(now)
            was_settled = settled
            await asyncio.sleep(TICK_S)

    def _channels(self, args: Iterable[str]) -> list[dict[str, Any]]:
        """Say for how many of the arguments each channel is subscribed, and to which topic its frames go."""
        counts = Counter(self._venue.stream(arg) for arg in args)
        return [{"channel": each.channel, "topic": each.topic, "arguments": n} for each, n in counts.items()]

    def _tell_ready(self, now: float) -> None:
        if not self.ready.is_set() and self._after is not None:
            self.recorder.event("resumed", after=self._after.session, gap_s=round(now - self._after.at, 1))
        self.ready.set()

    async def _ask(self, connection: ClientConnection, requests: Bucket, now: float) -> bool:
        message = self.subscriptions.message(now)
        if message is not None:
            requests.take()
            await self._send(connection, message)
        return message is not None

    def _check(self, now: float) -> None:
        self.subscriptions.settle(now)
        ignored, outcome = self.subscriptions.overdue(now, self._settings.ack_timeout_s)
        if ignored:
            raise NetworkError(f"no answer to a subscription for {self._settings.ack_timeout_s:.0f} s")
        self._tell_refused(outcome.refused, outcome.detail)
        if why := self._pulse.silence(now, self.subscriptions.active):
            self.recorder.event("silent", why, channels=self._channels(self.subscriptions.active))
            raise SilentError(why)
