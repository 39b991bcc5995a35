"""The collector service: for each venue its polls and its feeds, supervised, until told to stop."""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from collectors.delivery.figures import Figures
from collectors.delivery.process import Process
from collectors.delivery.publisher import Publisher
from collectors.delivery.recorder import Recorder, Sink
from collectors.delivery.spool import Spool
from collectors.envelope import Transport
from collectors.files.following import Following
from collectors.kafka import KafkaSettings, connection, ensure_topics
from collectors.live.feed import LiveFeed
from collectors.live.shards import assign
from collectors.metrics import Figures as Made
from collectors.metrics import serving
from collectors.polls.budget import Bucket
from collectors.polls.listings import Seen
from collectors.polls.poller import Poller
from collectors.polls.remembered import Remembered
from collectors.retry import FATAL_DELAY_S, delays, describe
from collectors.settings import CollectorSettings
from collectors.topics import TOPICS
from collectors.venues.venue import Feed, Folder, Listed, Venue

STOP_GRACE_S = 8.0
SPOOL = "spool"
LISTINGS = "listings"
FOLLOWED = "followed"
MIB = 1024 * 1024

log = logging.getLogger(__name__)


class Collector:
    """One venue: its poller, a live feed for each socket that the instruments listed by now need, and the files it follows.

    `remembered`: what was listed last, by which it listens until the venue has answered. `followed`: where it keeps how far
    it has read files; None: nowhere.
    """

    def __init__(
        self, venue: Venue, sink: Sink, settings: CollectorSettings, remembered: Remembered | None = None,
        followed: Path | None = None,
    ) -> None:  # fmt: skip
        self._venue = venue = venue.without(settings.left_out)
        self._sink = sink
        self._settings = settings
        self._connects = Bucket(venue.limits.connects)
        self._remembered = remembered
        self._kept = followed
        self._listing = remembered.listing if remembered else dict[str, tuple[Listed, ...]]()
        self._sockets: dict[str, list[Feed]] = {}
        self._live: dict[str, LiveFeed] = {}
        self._followed: dict[str, Following] = {}
        self._seen = {group: Seen() for group in venue.beside}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Poll, listen and follow files until `stop`, then end every session in good order."""
        polling = asyncio.create_task(self._supervise("rest", self._poll))
        for folder in self._venue.folders:
            self._tasks.add(asyncio.create_task(self._supervise(folder.feed, partial(self._follow, folder))))
        self._arrange()
        await self._stop.wait()
        polling.cancel()
        for live in self._live.values():
            live.stop()
        for following in self._followed.values():
            following.stop()
        tasks = [polling, *self._tasks]
        _, late = await asyncio.wait(tasks, timeout=STOP_GRACE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """Make `run` end."""
        self._stop.set()

    async def _poll(self) -> None:
        await Poller(self._venue, self._sink, self._settings, self._list, self._seen).run()

    async def _follow(self, folder: Folder) -> None:
        seen = self._seen.get(folder.names_group)
        self._followed[folder.feed] = following = Following(self._venue.name, folder, self._sink, self._kept, seen)
        await following.run()

    def _list(self, group: str, listed: tuple[Listed, ...]) -> None:
        self._listing[group] = listed
        if self._remembered:
            self._remembered.keep(group, listed)
        self._arrange()

    def _arrange(self) -> None:
        """Bring the sockets in line with the instruments: nothing that need not move is moved."""
        for wanted in self._venue.feeds(self._listing):
            sockets = assign(wanted, self._sockets.get(wanted.name, []), self._venue.limits)
            self._sockets[wanted.name] = sockets
            for feed in sockets:
                self._keep(wanted.name, feed)

    def _keep(self, group: str, feed: Feed) -> None:
        if feed.name not in self._live:
            if feed.args and not self._stop.is_set():
                self._start(group, feed)
        elif feed.args:
            self._live[feed.name].want(feed)
        else:
            self._live.pop(feed.name).stop()

    def _start(self, group: str, feed: Feed) -> None:
        """Listen to a socket's feed; where that dies, a new one takes up what is wanted by then."""

        async def listen() -> None:
            now = next(each for each in self._sockets[group] if each.name == feed.name)
            if now.args:
                self._live[feed.name] = live = self._feed(now)
                await live.run()

        self._live[feed.name] = self._feed(feed)
        task = asyncio.create_task(self._supervise(feed.name, listen))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _feed(self, feed: Feed) -> LiveFeed:
        return LiveFeed(self._venue, feed, self._sink, self._settings, self._connects)

    async def _supervise(self, part: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run a part again, after a delay, for as long as it dies of something unforeseen; each time is told."""
        pauses = delays(longest_s=FATAL_DELAY_S)
        while not self._stop.is_set():
            try:
                await work()
                break
            except Exception as error:
                log.exception("died venue=%s part=%s", self._venue.name, part)
                transport: Transport = "rest" if part == "rest" else "ws"
                reason = f"{part} died and is started again: {describe(error)}"
                Recorder(self._venue.name, part, transport, self._sink).event("disconnected", reason)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), next(pauses))


async def collect(
    venues: Sequence[Venue], kafka: KafkaSettings, settings: CollectorSettings, stop: asyncio.Event | None = None
) -> int:
    """Collect from `venues` until `stop` (None: SIGTERM or SIGINT); return 0 when Kafka or the spool has every frame, else 1.

    Kafka need not be there yet. Raises CollectorError where it can never be used as things are.
    """
    stop = stop or _signalled()

    async def prepare() -> None:
        await ensure_topics(
            await asyncio.to_thread(connection, kafka), TOPICS, kafka.kafka_replication, kafka.kafka_min_insync
        )

    spool = Spool(kafka.data / SPOOL, settings.spool_mib * MIB, settings.spool_fsync) if settings.spool_mib else None
    async with Publisher(lambda: connection(kafka), settings, spool=spool, prepare=prepare) as publisher:
        figures = Figures(publisher, [venue.name for venue in venues])
        with serving(settings.metrics_port, [Made(figures.metrics)], figures.wrong, settings.metrics_host):
            listings, followed = kafka.data / LISTINGS, kafka.data / FOLLOWED
            collectors = [
                Collector(each, publisher, settings, Remembered(listings, each.name), followed) for each in venues
            ]
            await _collect(venues, collectors, publisher, settings, stop)
    kept = publisher.spool_left
    log.info("stopped acknowledged=%d spool=%d lost=%d", publisher.acknowledged.total(), kept, publisher.pending)
    if publisher.link.refusal.done():
        raise publisher.link.refusal.result()
    return 1 if publisher.pending else 0


async def _collect(
    venues: Sequence[Venue], collectors: Sequence[Collector], publisher: Publisher, settings: CollectorSettings,
    stop: asyncio.Event,
) -> None:  # fmt: skip
    """Collect until `stop`, or until Kafka turns out to be of no use."""
    beside = [asyncio.create_task(Process(publisher).run()), asyncio.create_task(_report(publisher, settings.report_s))]
    running = [asyncio.create_task(_told(venue, c.run())) for venue, c in zip(venues, collectors, strict=True)]
    publisher.link.refusal.add_done_callback(lambda _: stop.set())
    await stop.wait()
    log.info("stopping")
    for collector in collectors:
        collector.stop()
    await asyncio.gather(*running)
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)


def _signalled() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _told(venue: Venue, work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("died venue=%s", venue.name)


async def _report(publisher: Publisher, every_s: float) -> None:
    before, at = 0, time.monotonic()
    while True:
        await asyncio.sleep(every_s)
        count, now = publisher.acknowledged.total(), time.monotonic()
        rate = (count - before) / (now - at)
        log.info("acknowledged=%d per_s=%.0f waiting=%d bytes=%d", count, rate, publisher.pending, publisher.pool.bytes)
        before, at = count, now
