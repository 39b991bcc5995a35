"""Keeps one feed connected: one session after another, with backoff after a failure, with overlap at a planned reconnect, and
with a second socket if the feed's liquidations are suspiciously silent."""

import asyncio
import random
import time
from collections.abc import Mapping

from collectors.delivery.recorder import Sink
from collectors.live.ears import EARS, Ear, Ears
from collectors.live.second import LISTEN_S, Route, Running, first_of, second_route
from collectors.live.session import Ended, Session
from collectors.polls.budget import Bucket
from collectors.retry import delays, judge
from collectors.settings import CollectorSettings
from collectors.topics import LIQUIDATION
from collectors.venues.venue import Feed, Venue

HEALTHY_S = 60.0
"""A session that lived this long resets the backoff."""
TAKE_OVER_S = 60.0
NEXT_ATTEMPT_S = 15.0


class LiveFeed:
    """Keeps `feed` connected until stopped. `connects` is shared by all feeds of the venue: its limit counts by IP.

    `ears`: those of all feeds of the process; a feed's liquidations are judged by its own past and by the others'.
    """

    def __init__(
        self, venue: Venue, feed: Feed, sink: Sink, settings: CollectorSettings, connects: Bucket, ears: Ears = EARS
    ) -> None:
        self._venue = venue
        self._sink = sink
        self._settings = settings
        self._connects = connects
        self._ears = ears
        self._running: set[Running] = set()
        self._stop = asyncio.Event()
        self._lifetime_s = settings.lifetime_s or venue.lifetime_s
        self._route = Route((feed.url, *feed.routes))
        self._take(feed)

    @property
    def heard(self) -> Mapping[str, float]:
        """When each channel last brought a frame, on any connection that is open; monotonic seconds."""
        found: dict[str, float] = {}
        for running in self._running:
            for channel, at in running.session.heard.items():
                found[channel] = max(at, found.get(channel, at))
        return found

    def want(self, feed: Feed) -> None:
        """Change the subscriptions, on open connections and on later ones."""
        self._take(feed)
        for running in self._running:
            running.session.want(feed.args)

    def stop(self) -> None:
        """End every session in good order; `run` then returns."""
        self._stop.set()
        for running in self._running:
            running.session.stop()
            if not running.session.is_connected:
                running.task.cancel()

    def _take(self, feed: Feed) -> None:
        streams = (self._venue.stream(arg) for arg in feed.args)
        self.feed = feed
        self._liquidations = sorted({each.channel for each in streams if each.topic == LIQUIDATION})

    async def run(self) -> None:
        """Connect, and connect again after each failure, until stopped."""
        pauses = delays(self._settings.first_delay_s)
        ended: Ended | None = None
        ear = self._ears.open(self._venue.name, time.monotonic())
        try:
            while not self._stop.is_set():
                started = time.monotonic()
                ear.begin(started)
                session, failure = await self._until_end(await self._open(ended), ear)
                if failure is None:
                    continue
                ended = Ended(session.recorder.session, time.monotonic())
                if ended.at - started > HEALTHY_S:
                    pauses = delays(self._settings.first_delay_s)
                if not session.ready.is_set():
                    self._route.url = self._route.other()
                await self._pause(max(next(pauses), judge(failure).after_s))
        finally:
            self._ears.forget(ear)
            tasks = [running.task for running in self._running]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self, ended: Ended | None = None, url: str | None = None) -> Running:
        await self._sink.room()
        await self._connects.spend()
        feed = self.feed._replace(url=url or self._route.url)
        session = Session(self._venue, feed, self._sink, self._settings, ended)
        if self._stop.is_set():
            session.stop()
        lives_s = self._lifetime_s * random.uniform(0.97, 1.0) if self._lifetime_s else None
        due = None if lives_s is None else time.monotonic() + lives_s
        running = Running(session, asyncio.create_task(session.run()), due)
        self._running.add(running)
        running.task.add_done_callback(lambda _: self._running.discard(running))
        return running

    async def _until_end(self, running: Running, ear: Ear) -> tuple[Session, Exception | None]:
        """Wait until the session ends, replacing it whenever there is reason to; return the last and its failure."""
        while True:
            task, renew = running.task, running.session.renew.wait()
            await first_of(task, renew, self._suspicion(ear), timeout_s=running.left_s)
            if self._stop.is_set():
                await asyncio.wait([task])
            if task.done():
                return running.session, None if task.cancelled() else task.result()
            running = await (self._roll_over(running) if running.is_over else self._second_route(running, ear))

    async def _roll_over(self, old: Running) -> Running:
        """Return the session that goes on: a fresh one once its data is there, the old one if it does not come."""
        fresh = await self._open()
        await first_of(old.task, fresh.task, fresh.session.ready.wait(), self._stop.wait(), timeout_s=TAKE_OVER_S)
        if fresh.session.ready.is_set() or old.task.done():
            old.session.stop("rolled_over")
            return fresh
        if self._stop.is_set():
            return old
        fresh.session.stop()
        old.session.renew.clear()
        await first_of(old.task, self._stop.wait(), timeout_s=NEXT_ATTEMPT_S)
        old.session.renew.set()
        return old

    async def _second_route(self, old: Running, ear: Ear) -> Running:
        """Return the session that goes on, of one whose liquidations are suspiciously silent and another beside it."""
        now, since, url = time.monotonic(), ear.heard_at, self._route.other()
        why = f"nothing for {now - since:.0f} s; how likely that is: {ear.likelihood(now):.0e}"
        for channel in self._liquidations:
            old.session.recorder.event("suspect", why, channel=channel, likelihood=ear.likelihood(now))
        fresh = await self._open(url=url)
        for channel in self._liquidations:
            fresh.session.recorder.event("second_route", why, channel=channel, url=url)
        better = await second_route(old, fresh, self._liquidations, since, self._stop)
        if better is fresh:
            self._route.url = url
        else:
            ear.begin(time.monotonic())
        return better

    async def _suspicion(self, ear: Ear) -> None:
        """Listen to the feed's liquidations, and return once they are suspiciously silent."""
        while True:
            if at := max((running.heard_at(self._liquidations) for running in self._running), default=0.0):
                ear.hear(at)
            if self._liquidations and ear.is_suspect(time.monotonic(), self._settings.suspect_below):
                return
            await asyncio.sleep(LISTEN_S)

    async def _pause(self, seconds: float) -> None:
        await first_of(self._stop.wait(), timeout_s=seconds)
