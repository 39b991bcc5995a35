"""One feed kept alive: a session after another, with backoff after a failure and with overlap at a planned rollover."""

import asyncio
import random
import time
from collections.abc import Coroutine
from typing import Any, NamedTuple

from collectors.budget import Bucket
from collectors.delivery.recorder import Sink
from collectors.retry import delays, judge
from collectors.session import Ended, Session
from collectors.settings import CollectorSettings
from collectors.venues.venue import Feed, Venue

HEALTHY_S = 60.0
"""A session that lived so long ends the row of failures before it."""
TAKE_OVER_S = 60.0
NEXT_ATTEMPT_S = 15.0


class _Running(NamedTuple):
    session: Session
    task: asyncio.Task[Exception | None]


class LiveFeed:
    """Keeps `feed` connected until stopped. `connects` is shared by all feeds of the venue: its limit counts by IP."""

    def __init__(self, venue: Venue, feed: Feed, sink: Sink, settings: CollectorSettings, connects: Bucket) -> None:
        self.feed = feed
        self._venue = venue
        self._sink = sink
        self._settings = settings
        self._connects = connects
        self._running: set[_Running] = set()
        self._stop = asyncio.Event()
        self._lifetime_s = settings.lifetime_s or venue.lifetime_s

    def want(self, feed: Feed) -> None:
        """Change what is subscribed, on the connections that are open and those to come."""
        self.feed = feed
        for session, _ in self._running:
            session.want(feed.args)

    def stop(self) -> None:
        """End every session in good order; `run` then returns."""
        self._stop.set()
        for session, task in self._running:
            session.stop()
            if not session.is_connected:
                task.cancel()

    async def run(self) -> None:
        """Connect, and connect again after each failure, until stopped."""
        pauses = delays(self._settings.first_delay_s)
        ended: Ended | None = None
        try:
            while not self._stop.is_set():
                started = time.monotonic()
                session, failure = await self._until_end(await self._open(ended))
                if failure is None:
                    continue
                ended = Ended(session.recorder.session, time.monotonic())
                if ended.at - started > HEALTHY_S:
                    pauses = delays(self._settings.first_delay_s)
                await self._pause(max(next(pauses), judge(failure).after_s))
        finally:
            tasks = [task for _, task in self._running]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self, ended: Ended | None = None) -> _Running:
        await self._sink.room()
        await self._connects.spend()
        session = Session(self._venue, self.feed, self._sink, self._settings, ended)
        if self._stop.is_set():
            session.stop()
        running = _Running(session, asyncio.create_task(session.run()))
        self._running.add(running)
        running.task.add_done_callback(lambda _: self._running.discard(running))
        return running

    async def _until_end(self, running: _Running) -> tuple[Session, Exception | None]:
        """Wait until the session ends, replacing it whenever its time has come; return the last and its failure."""
        while True:
            session, task = running
            renew_s = self._lifetime_s * random.uniform(0.97, 1.0) if self._lifetime_s else None
            await _first(task, session.renew.wait(), timeout_s=renew_s)
            if task.done():
                return session, None if task.cancelled() else task.result()
            running = await self._roll_over(running)

    async def _roll_over(self, old: _Running) -> _Running:
        """Return the session that goes on: a fresh one once its data is there, the old one if it does not come."""
        fresh = await self._open()
        await _first(fresh.task, fresh.session.ready.wait(), self._stop.wait(), timeout_s=TAKE_OVER_S)
        if fresh.session.ready.is_set() or old.task.done():
            old.session.stop("rolled_over")
            return fresh
        if self._stop.is_set():
            return old
        fresh.session.stop()
        old.session.renew.clear()
        await self._pause(NEXT_ATTEMPT_S)
        old.session.renew.set()
        return old

    async def _pause(self, seconds: float) -> None:
        await _first(self._stop.wait(), timeout_s=seconds)


async def _first(*works: asyncio.Task[Any] | Coroutine[Any, Any, Any], timeout_s: float | None) -> None:
    """Wait until one of them ends or the time is over; tasks go on, the others are cancelled."""
    waits = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for work, wait in zip(works, waits, strict=True):
            if wait is not work:
                wait.cancel()
