"""REST on a schedule, within the budget that all polls of a venue share. Every answer is kept as a frame, unchanged."""

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from collectors.budget import Bucket
from collectors.envelope import ALL_SYMBOLS
from collectors.errors import NetworkError
from collectors.recorder import Recorder, Sink
from collectors.retry import delays, describe
from collectors.session import LARGEST_MESSAGE
from collectors.settings import CollectorSettings
from collectors.venues.venue import Answer, Frame, Listed, Poll, Refusal, Venue

AT_ONCE = 8
MOST_PAGES = 50
FAILURES_TO_STOP = 3

log = logging.getLogger(__name__)

Params = tuple[tuple[str, str], ...]


class Poller:
    """All polls of one venue, as one session. `listed(group, instruments)` is called after each complete listing."""

    def __init__(
        self,
        venue: Venue,
        sink: Sink,
        settings: CollectorSettings,
        listed: Callable[[str, tuple[Listed, ...]], None],
    ) -> None:
        self.recorder = Recorder(venue.name, "rest", "rest", sink)
        self._venue = venue
        self._sink = sink
        self._settings = settings
        self._listed = listed
        self._symbols: dict[str, tuple[Listed, ...]] = {}
        self._known = defaultdict[str, asyncio.Event](asyncio.Event)
        self._doubted: set[str] = set()
        self._bucket = Bucket(venue.budget, settings.rest_share)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._stopped_until: float | None = None
        self._unreachable = 0
        self._pauses = delays()

    async def run(self) -> None:
        """Poll until cancelled."""
        reason = "ended"
        timeout = httpx.Timeout(self._settings.rest_timeout_s)
        async with httpx.AsyncClient(timeout=timeout, follow_redirects=True) as self._client:
            try:
                async with asyncio.TaskGroup() as self._group:
                    for poll in self._venue.polls:
                        self._group.create_task(self._repeat(poll))
            except asyncio.CancelledError:
                reason = ""
                raise
            finally:
                self.recorder.event("disconnected" if reason else "stopped", reason)

    async def _repeat(self, poll: Poll) -> None:
        period_s = poll.every_s * self._settings.poll_scale
        pauses = delays()
        while True:
            started = time.monotonic()
            if poll.lists and not await self._list(poll):
                await asyncio.sleep(next(pauses))
                continue
            if poll.symbol_param:
                started = await self._first_listing(poll.group)
                await self._sweep(poll, started, period_s)
            elif not poll.lists:
                await self._poll(poll, ALL_SYMBOLS, poll.params)
            pauses = delays()
            late_s = time.monotonic() - started - period_s
            if late_s > period_s / 2:
                log.warning("late venue=%s channel=%s by_s=%.1f", self._venue.name, poll.channel, late_s)
            await asyncio.sleep(-late_s * random.uniform(0.99, 1.0))

    async def _first_listing(self, group: str) -> float:
        """Wait until the group's instruments are known; return the time."""
        await self._known[group].wait()
        return time.monotonic()

    async def _sweep(self, poll: Poll, started: float, period_s: float) -> None:
        """Poll each symbol once, spread evenly over the period; a slow answer delays the next, it never piles up."""
        listed = self._symbols.get(poll.group, ())
        for index, item in enumerate(listed):
            await asyncio.sleep(started + index * period_s / len(listed) - time.monotonic())
            await self._slots.acquire()
            params = (*poll.params, (poll.symbol_param, item.symbol))
            self._group.create_task(self._poll(poll, item.symbol, params)).add_done_callback(
                lambda _: self._slots.release()
            )

    async def _list(self, poll: Poll) -> bool:
        """Read all pages of a group's instruments; whether that succeeded."""
        listed: list[Listed] = []
        following: Params = ()
        for _ in range(MOST_PAGES):
            if (body := await self._poll(poll, ALL_SYMBOLS, (*poll.params, *following))) is None:
                return False
            try:
                page = self._venue.page(body)
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                self._tell_failed(poll, ALL_SYMBOLS, f"instruments cannot be read: {describe(error)}")
                return False
            listed += page.listed
            if not page.following or page.following == following:
                return self._take(poll, tuple(listed))
            following = page.following
        self._tell_failed(poll, ALL_SYMBOLS, f"more than {MOST_PAGES} pages of instruments")
        return False

    def _take(self, poll: Poll, listed: tuple[Listed, ...]) -> bool:
        """Take a listing over; one of less than half the instruments only when the next one says the same."""
        before = self._symbols.get(poll.group, ())
        if len(listed) < len(before) / 2 and poll.group not in self._doubted:
            self._doubted.add(poll.group)
            reason = f"{len(listed)} instruments after {len(before)}: not believed until it is said again"
            self._tell_failed(poll, ALL_SYMBOLS, reason)
            return False
        self._doubted.discard(poll.group)
        self._symbols[poll.group] = listed
        self._known[poll.group].set()
        self._listed(poll.group, listed)
        return True

    async def _poll(self, poll: Poll, symbol: str, params: Params) -> bytes | None:
        """Make one request and keep the answer; None, and an event, when it brought no data."""
        await self._permission(poll.cost)
        try:
            answer = await self._get(poll.url, params)
        except (httpx.HTTPError, httpx.InvalidURL, NetworkError) as error:
            self._tell_failed(poll, symbol, describe(error))
            self._unreachable += 1
            if self._unreachable >= FAILURES_TO_STOP:
                self._pause(Refusal("the venue cannot be reached", next(self._pauses)))
            return None
        self._unreachable = 0
        if self._venue.used and (used := self._venue.used(answer.headers)) is not None:
            self._bucket.seen(used)
        if refusal := self._venue.refusal(answer):
            self._tell_failed(poll, symbol, refusal.reason, status=answer.status)
            self._pause(refusal)
            return None
        self._pauses = delays()
        self._tell_resumed()
        self.recorder.frame(answer.body, Frame(poll.channel, symbol, poll.topic), int(answer.received_s * 1e9))
        return answer.body

    async def _permission(self, cost: int) -> None:
        """Wait until the venue, its budget and Kafka allow one more request."""
        await self._sink.room()
        if cost:
            await self._bucket.spend(cost)
        while (wait := (self._stopped_until or 0.0) - time.monotonic()) > 0:
            await asyncio.sleep(wait)

    async def _get(self, url: str, params: Params) -> Answer:
        body = bytearray()
        async with self._client.stream("GET", url, params=list(params)) as response:
            async for part in response.aiter_bytes():
                body += part
                if len(body) > LARGEST_MESSAGE:
                    raise NetworkError(f"an answer of more than {LARGEST_MESSAGE} bytes")
        return Answer(response.status_code, dict(response.headers), bytes(body), time.time())

    def _tell_failed(self, poll: Poll, symbol: str, reason: str, **detail: Any) -> None:
        self.recorder.event("poll_failed", reason, channel=poll.channel, symbol=symbol, **detail)

    def _pause(self, refusal: Refusal) -> None:
        """Stop all polls of the venue for as long as it asks; told once, not for each request then under way."""
        until = time.monotonic() + refusal.stop_s
        if refusal.stop_s <= 0 or until <= (self._stopped_until or 0.0) + 1.0:
            return
        self._stopped_until = until
        self.recorder.event("poll_stopped", refusal.reason, stop_s=round(refusal.stop_s, 1))

    def _tell_resumed(self) -> None:
        if self._stopped_until is not None and time.monotonic() >= self._stopped_until:
            self._stopped_until = None
            self.recorder.event("resumed", "polls go on")
