"""REST on a schedule, within the budget that all polls of a venue share. Every answer is kept as a frame, unchanged."""

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from collectors import moment
from collectors.delivery.intake import REASON
from collectors.delivery.recorder import Recorder, Sink
from collectors.envelope import ALL_SYMBOLS
from collectors.errors import NetworkError
from collectors.events import ALIVE_S
from collectors.moment import Moment
from collectors.polls.asking import ask
from collectors.polls.budget import Stop, shared
from collectors.polls.catching_up import CatchingUp
from collectors.polls.listings import Listings, Seen
from collectors.retry import delays, describe
from collectors.settings import CollectorSettings
from collectors.tls import ENCRYPTED
from collectors.venues.venue import Answer, Frame, Listed, Params, Poll, Venue

AT_ONCE = 8
"""Requests of one poll under way, or waiting for the budget."""
MOST_PAGES = 400
FAILURES_TO_STOP = 3
ROUNDS = 3
"""So often what failed is asked for in a round that leaves time for it."""

log = logging.getLogger(__name__)


class Poller:
    """All polls of one venue, as one session. `listed(group, instruments)` is called after each complete listing. `seen`: what
    polls of a group ask for besides what is listed."""

    def __init__(
        self,
        venue: Venue,
        sink: Sink,
        settings: CollectorSettings,
        listed: Callable[[str, tuple[Listed, ...]], None],
        seen: Mapping[str, Seen] | None = None,
    ) -> None:
        self.recorder = Recorder(venue.name, "rest", "rest", sink)
        self._venue = venue
        self._sink = sink
        self._settings = settings
        self._listed = listed
        self._listings = Listings([poll.group for poll in venue.polls if poll.lists], venue.beside, seen)
        self._told: Stop | None = None
        self._unreachable = 0
        self._pauses = delays()
        self._waiting = 0
        self._waited_at = 0.0
        self._kept = moment.now()
        self._caught_up = defaultdict[str, CatchingUp](CatchingUp)

    async def run(self) -> None:
        """Poll until cancelled."""
        reason = "ended"
        timeout = httpx.Timeout(self._settings.rest_timeout_s)
        self._budget = shared(self._venue, self._settings.rest_share)
        self.recorder.event("started", channels=self._channels())
        async with httpx.AsyncClient(timeout=timeout, follow_redirects=True, event_hooks=ENCRYPTED) as self._client:
            try:
                async with asyncio.TaskGroup() as self._group:
                    self._group.create_task(self._live())
                    for poll in self._venue.polls:
                        self._group.create_task(self._repeat(poll))
            except asyncio.CancelledError:
                reason = ""
                raise
            finally:
                self.recorder.event("disconnected" if reason else "stopped", reason)

    def _channels(self) -> list[dict[str, Any]]:
        """Return what is polled, and how often: of a channel with several polls the most frequent."""
        found: dict[str, dict[str, Any]] = {}
        for poll in sorted((poll for poll in self._venue.polls if poll.is_kept), key=lambda poll: -poll.every_s):
            every_s = poll.every_s * self._settings.poll_scale
            found[poll.channel] = {"channel": poll.channel, "topic": poll.topic, "every_s": every_s}
        return list(found.values())

    async def _repeat(self, poll: Poll) -> None:
        period_s = poll.every_s * self._settings.poll_scale
        pauses = delays()
        while True:
            if not poll.lists and (poll.of or poll.per_page):
                await self._listings.known(poll.group)
            started = time.monotonic()
            if not await self._round(poll, started):
                await asyncio.sleep(next(pauses))
                continue
            pauses = delays()
            late_s = time.monotonic() - started - period_s
            if late_s > period_s / 2:
                log.warning("late venue=%s channel=%s by_s=%.1f", self._venue.name, poll.channel, late_s)
            await asyncio.sleep(-late_s * random.uniform(0.99, 1.0))

    async def _round(self, poll: Poll, started: float) -> bool:
        """Ask once for all a poll asks for; whether it is done, so that it need not be repeated before its time."""
        if poll.lists:
            listed = await self._pages(poll, 0.0)
            return listed is not None and self._take(poll, listed)
        spread_s = (poll.spread_s or poll.every_s) * self._settings.poll_scale
        if poll.per_page:
            return await self._pages(poll, spread_s / poll.pages(self._listings.by_group)) is not None
        if poll.of is None:
            await self._poll(poll, ALL_SYMBOLS, poll.params)
            return True
        values = poll.values(self._listings.all)
        for number in range(ROUNDS if poll.spread_s else 1):
            values = await self._sweep(poll, values, started + number * spread_s, spread_s)
        return True

    async def _sweep(self, poll: Poll, values: Sequence[str], started: float, spread_s: float) -> list[str]:
        """Ask for each value once, spread evenly; a slow answer delays the next, it never piles up. Return what failed."""
        failed: list[str] = []
        slots = asyncio.Semaphore(AT_ONCE)

        async def ask(value: str) -> None:
            symbol = value if poll.at_once == 1 else ALL_SYMBOLS
            try:
                own = ((poll.param, value),) if poll.param else ()
                if not await self._ask(poll, symbol, (*poll.params, *own), value):
                    failed.append(value)
            finally:
                slots.release()

        asked = []
        for index, value in enumerate(values):
            await asyncio.sleep(started + index * spread_s / len(values) - time.monotonic())
            if value not in self._listings.gone:
                await slots.acquire()
                asked.append(self._group.create_task(ask(value)))
        await asyncio.gather(*asked)
        return failed

    async def _ask(self, poll: Poll, symbol: str, params: Params, value: str) -> bool:
        """Ask for one value; whether it was answered."""
        if poll.newest is None:
            return await self._poll(poll, symbol, params) is not None
        return await self._caught_up[poll.channel].ask(
            value, poll.newest, lambda more: self._poll(poll, symbol, (*params, *more))
        )

    async def _pages(self, poll: Poll, gap_s: float) -> tuple[Listed, ...] | None:
        """Read all pages, with a gap between them; return their instruments, None when one failed."""
        listed: list[Listed] = []
        following: Params = ()
        for _ in range(MOST_PAGES):
            if (body := await self._poll(poll, ALL_SYMBOLS, (*poll.params, *following))) is None:
                return None
            try:
                page = self._venue.page(body)
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                self._tell_failed(poll, ALL_SYMBOLS, f"instruments cannot be read: {describe(error)}")
                return None
            listed += page.listed
            if not page.following or page.following == following:
                return tuple(listed)
            following = page.following
            await asyncio.sleep(gap_s)
        self._tell_failed(poll, ALL_SYMBOLS, f"more than {MOST_PAGES} pages")
        return None

    def _take(self, poll: Poll, listed: tuple[Listed, ...]) -> bool:
        if doubt := self._listings.take(poll.group, listed):
            self._tell_failed(poll, ALL_SYMBOLS, doubt)
            return False
        self._listed(poll.group, listed)
        return True

    async def _poll(self, poll: Poll, symbol: str, params: Params) -> bytes | None:
        """Make one request and keep the answer; None, and an event, when it brought no data."""
        await self._room(poll.topic)
        self._tell_stop()
        async with self._budget.request(poll.budget, poll.cost):
            try:
                answer = await ask(self._client, *_written(poll, symbol, params))
            except (httpx.HTTPError, httpx.InvalidURL, NetworkError) as error:
                self._tell_failed(poll, symbol, describe(error))
                self._cannot_reach()
                return None
            return self._judge(poll, symbol, answer)

    async def _room(self, topic: str) -> None:
        """Wait, while there is no room for what an answer brings, before it is asked for."""
        if self._sink.takes(topic):
            return
        if not self._waiting:
            self._waited_at = time.monotonic()
            self.recorder.event("paused", REASON, since_ns=self._kept.by_the_wall_clock_of_now(), topics=[topic])
        self._waiting += 1
        try:
            await self._sink.room(topic)
        finally:
            self._waiting -= 1
            if not self._waiting:
                waited_s = round(time.monotonic() - self._waited_at, 1)
                since_ns = self._kept.by_the_wall_clock_of_now()
                self.recorder.event("resumed", "polls go on", since_ns=since_ns, waited_s=waited_s)

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(ALIVE_S)
            self.recorder.event("alive")

    def _judge(self, poll: Poll, symbol: str, answer: Answer) -> bytes | None:
        """Keep an answer that is data; heed what any answer says of the budget."""
        self._unreachable = 0
        if self._venue.used and (used := self._venue.used(answer.headers)) is not None:
            self._budget.seen(*used)
        refusal = self._venue.refusal(answer)
        if refusal:
            self._tell_failed(poll, symbol, refusal.reason, status=answer.status)
        if refusal and refusal.stop_s > 0:
            self._budget.stop(refusal.stop_s, refusal.reason)
        else:
            self._pauses = delays()
            self._budget.answered()
        self._tell_stop()
        if refusal:
            return None
        self._kept = Moment(int(answer.received_s * 1e9), moment.steady_ns())
        if poll.is_kept:
            topic = poll.topic_of(answer.body) if poll.topic_of else poll.topic
            self.recorder.frame(answer.body, Frame(poll.channel, symbol, topic), *self._kept)
        return answer.body

    def _cannot_reach(self) -> None:
        self._unreachable += 1
        if self._unreachable >= FAILURES_TO_STOP:
            self._budget.stop(next(self._pauses), "the venue cannot be reached")
        self._tell_stop()

    def _tell_failed(self, poll: Poll, symbol: str, reason: str, **detail: Any) -> None:
        self.recorder.event("poll_failed", reason, channel=poll.channel, symbol=symbol, **detail)

    def _tell_stop(self) -> None:
        """Tell once of each stop and of its end, whichever poller of this process came upon it."""
        stop, told = self._budget.stopped, self._told
        self._told = stop
        if stop is not None and stop != told:
            self.recorder.event("poll_stopped", stop.reason, stop_s=round(stop.seconds, 1))
        elif stop is None and told is not None:
            self.recorder.event("resumed", "polls go on")


def _written(poll: Poll, symbol: str, params: Params) -> tuple[str, Params, str]:
    """Return address, parameters and body of a request; without `param` and `body` a symbol is a part of the address."""
    times = () if poll.since is None else ((poll.since[0], str(int((time.time() - poll.since[1]) * 1000))),)
    if not poll.body:
        is_part = poll.of is not None and not poll.param
        return poll.url.replace("{}", quote(symbol, safe="")) if is_part else poll.url, (*params, *times), ""
    body = poll.body.replace("{}", symbol)
    for name, value in times:
        body = body.replace(f"{{{name}}}", value)
    return poll.url, params, body
