"""The collector service: for each venue its polls and its feeds, supervised, until told to stop."""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Sequence

from collectors.budget import Bucket
from collectors.feed import LiveFeed
from collectors.kafka import KafkaSettings, connection, ensure_topics
from collectors.poller import Poller
from collectors.publisher import Publisher
from collectors.recorder import Recorder, Sink
from collectors.retry import FATAL_DELAY_S, delays, describe
from collectors.settings import CollectorSettings
from collectors.shards import assign
from collectors.topics import TOPICS
from collectors.venues.venue import Feed, Listed, Venue

STOP_GRACE_S = 8.0

log = logging.getLogger(__name__)


class Collector:
    """One venue: its poller, and a live feed for each socket that the instruments listed by now need."""

    def __init__(self, venue: Venue, sink: Sink, settings: CollectorSettings) -> None:
        self._venue = venue
        self._sink = sink
        self._settings = settings
        self._connects = Bucket(venue.limits.connects)
        self._listing: dict[str, tuple[Listed, ...]] = {}
        self._sockets: dict[str, list[Feed]] = {}
        self._feeds: dict[str, LiveFeed] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Poll and listen until `stop`, then end every session in good order."""
        polling = asyncio.create_task(self._supervise("rest", self._poll))
        self._arrange()
        await self._stop.wait()
        polling.cancel()
        for feed in self._feeds.values():
            feed.stop()
        tasks = [polling, *self._tasks.values()]
        _, late = await asyncio.wait(tasks, timeout=STOP_GRACE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """Make `run` end."""
        self._stop.set()

    async def _poll(self) -> None:
        await Poller(self._venue, self._sink, self._settings, self._list).run()

    def _list(self, group: str, listed: tuple[Listed, ...]) -> None:
        self._listing[group] = listed
        self._arrange()

    def _arrange(self) -> None:
        """Bring the sockets in line with the instruments: nothing that need not move is moved."""
        for wanted in self._venue.feeds(self._listing):
            sockets = assign(wanted, self._sockets.get(wanted.name, []), self._venue.limits)
            self._sockets[wanted.name] = sockets
            for feed in sockets:
                self._keep(feed)

    def _keep(self, feed: Feed) -> None:
        live, task = self._feeds.get(feed.name), self._tasks.get(feed.name)
        if live is not None and task is not None and not task.done():
            if feed.args:
                live.want(feed)
            else:
                live.stop()
        elif feed.args and not self._stop.is_set():
            self._tasks[feed.name] = asyncio.create_task(self._supervise(feed.name, lambda: self._listen(feed.name)))

    async def _listen(self, name: str) -> None:
        feed = next(feed for sockets in self._sockets.values() for feed in sockets if feed.name == name)
        live = LiveFeed(self._venue, feed, self._sink, self._settings, self._connects)
        self._feeds[name] = live
        await live.run()

    async def _supervise(self, part: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run a part again, after a delay, for as long as it dies of something unforeseen; each time is told."""
        pauses = delays(longest_s=FATAL_DELAY_S)
        while not self._stop.is_set():
            try:
                await work()
                return
            except Exception as error:
                log.exception("died venue=%s part=%s", self._venue.name, part)
                reason = f"{part} died: {describe(error)}"
                Recorder(self._venue.name, f"{part}-died", "ws", self._sink).event("notice", reason)
            await asyncio.sleep(next(pauses))


async def collect(
    venues: Sequence[Venue], kafka: KafkaSettings, settings: CollectorSettings, stop: asyncio.Event | None = None
) -> int:
    """Collect from `venues` until `stop`, SIGTERM or SIGINT; return the exit code: 0 when Kafka has every frame.

    Raises CollectorError where Kafka cannot be reached at the start.
    """
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await ensure_topics(connection(kafka), TOPICS, kafka.kafka_replication)
    async with Publisher(lambda: connection(kafka), settings) as publisher:
        collectors = [Collector(venue, publisher, settings) for venue in venues]
        running = [asyncio.create_task(collector.run()) for collector in collectors]
        reporting = asyncio.create_task(_report(publisher, settings.report_s))
        await stop.wait()
        log.info("stopping")
        for collector in collectors:
            collector.stop()
        await asyncio.gather(*running)
        reporting.cancel()
        flushed = await publisher.flush(settings.flush_timeout_s)
    log.info("stopped acknowledged=%d lost=%d", publisher.acknowledged.total(), publisher.pending)
    return 0 if flushed else 1


async def _report(publisher: Publisher, every_s: float) -> None:
    before, at = 0, time.monotonic()
    while True:
        await asyncio.sleep(every_s)
        count, now = publisher.acknowledged.total(), time.monotonic()
        rate = (count - before) / (now - at)
        log.info(
            "acknowledged=%d per_s=%.0f waiting=%d bytes=%d", count, rate, publisher.pending, publisher.pending_bytes
        )
        before, at = count, now
