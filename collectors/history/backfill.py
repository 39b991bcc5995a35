"""One backfill: list the contracts, page through each series, keep every answer as a frame, note what Kafka has."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Protocol

import httpx
import msgspec

from collectors.delivery.publisher import Publisher
from collectors.delivery.recorder import Recorder, Sink
from collectors.envelope import ALL_SYMBOLS
from collectors.errors import CollectorError, NetworkError, RefusedError
from collectors.history import plan
from collectors.history.covered import Covered
from collectors.history.endpoint import History, Series
from collectors.history.paging import Span, after, asked, request_count
from collectors.history.requests import Request, Requests
from collectors.history.settings import BackfillSettings
from collectors.kafka import KafkaSettings, cluster_id, connection, ensure_topics
from collectors.polls.budget import Budget
from collectors.settings import CollectorSettings
from collectors.tls import ENCRYPTED
from collectors.topics import TOPICS
from collectors.venues.known import HISTORIES
from collectors.venues.venue import Frame, Listed, Listing, Params, Poll, Venue

FEED = "backfill"
INTERVALS = "_fundingInfo"  # how often contracts pay, where the listing does not say

log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Who shows a backfill to a person."""

    def planned(self, requests: int) -> None:
        """So many requests are expected, at most."""

    def answered(self, one: Series, requests: int) -> None:
        """An answer came; so many of the expected requests are done or turned out not to be needed."""

    def say(self, line: str) -> None:
        """A line worth reading."""


class Totals(msgspec.Struct):
    """What a backfill did: requests answered, rows in them, series asked, those refused with why, those at their end."""

    requests: int = 0
    rows: int = 0
    series: int = 0
    refused: list[str] = msgspec.field(default_factory=list)
    at_their_end: list[Series] = msgspec.field(default_factory=list)


class Backfill:
    """One run for one venue. `order` says what; everything goes to `sink` as one session."""

    def __init__(
        self,
        venue: Venue,
        history: History,
        order: plan.Order,
        sink: Sink,
        settings: BackfillSettings,
        watcher: Watcher,
    ) -> None:
        self.recorder = Recorder(venue.name, FEED, "rest", sink, source="backfill")
        self.totals = Totals()
        self.landed: list[tuple[str, Span]] = []
        """What answers handed to `sink` cover, since someone last took it."""
        self._venue = venue
        self._history = history
        self._order = order
        self._sink = sink
        self._settings = settings
        self._watcher = watcher
        self._budget = Budget({**venue.budgets, **history.budgets}, settings.share)

    async def run(self, covered: Covered) -> None:
        """Ask for all that is not covered. Raises NetworkError, ConfigurationError; may be cancelled at any time."""
        wanted = self._order.wanted
        self.recorder.event(
            "started", "", what=", ".join(self._order.what), since=plan.text(wanted.first), until=plan.text(wanted.last)
        )
        reason = "cancelled"
        try:
            async with client() as opened:
                await self._run(covered, self._requests(opened))
            reason = ""
        except Exception as error:
            reason = str(error)
            raise
        finally:
            self.recorder.event("stopped", reason)

    def _requests(self, opened: httpx.AsyncClient) -> Requests:
        return Requests(self._venue, self._budget, self.recorder, self._sink, self._settings, opened, self._watcher.say)

    async def _run(self, covered: Covered, requests: Requests) -> None:
        listing = await listed(self._venue, requests)
        if "funding" in self._order.what:
            for poll in (poll for poll in self._venue.polls if poll.channel.endswith(INTERVALS)):
                await requests.ask(_of_all(poll))
        found = plan.series(self._history, listing, self._order)
        now = _now()
        for line in plan.not_kept(found, self._order.wanted, now):
            self._watcher.say(line)
        due = [(one, plan.gaps(one, self._order.wanted, covered, now)) for one in found]
        due = [(one, spans) for one, spans in due if spans]
        self.totals.series = len(due)
        self._watcher.planned(sum(request_count(one, gap) for one, spans in due for gap in spans))
        await self._together(requests, due)

    async def _together(self, requests: Requests, due: Sequence[tuple[Series, list[Span]]]) -> None:
        waiting = iter(due)

        async def work() -> None:
            for one, spans in waiting:
                await self._fill(requests, one, spans)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._settings.at_once):
                    group.create_task(work())
        except ExceptionGroup as errors:
            raise next((one for one in errors.exceptions if isinstance(one, CollectorError)), errors) from None

    async def _fill(self, requests: Requests, one: Series, spans: Sequence[Span]) -> None:
        """Ask for a series, its newest gap first."""
        for gap in reversed(spans):
            try:
                await self._page(requests, one, gap)
            except RefusedError as error:
                self.totals.refused.append(str(error))
                self._watcher.say(f"given up: {error}")
                return

    async def _page(self, requests: Requests, one: Series, gap: Span) -> None:
        left, rest, span = request_count(one, gap), gap, asked(one, gap)
        while span is not None:
            kept = one.kept_since(_now()) if one.step_ms else None
            if kept is not None and span.first < kept:  # it has gone while we were asking for others
                rest = Span(kept, rest.last)
                if (span := asked(one, rest)) is None:
                    break
            body = await requests.ask(_request(one, span))
            times = one.times(body)
            step = after(one, rest, span, times, _now())
            if step.covered:
                self.landed.append((one.name, step.covered))
            if step.at_its_end:
                self.totals.at_their_end.append(one)
            self.totals.requests += 1
            self.totals.rows += len(times)
            left -= 1
            self._watcher.answered(one, 1)
            if step.rest is None:
                break
            rest, span = step.rest, step.narrower or asked(one, step.rest)
        self._watcher.answered(one, max(left, 0))


async def backfill(
    venue: Venue, order: plan.Order, kafka: KafkaSettings, settings: BackfillSettings, watcher: Watcher
) -> Totals:
    """Fill the order into Kafka and return what was done.

    What Kafka has is noted in `<world>/backfill/<venue>.json`, also when this is cancelled. Raises CollectorError.
    """
    await ensure_topics(connection(kafka), TOPICS, kafka.kafka_replication, kafka.kafka_min_insync)
    covered = Covered(kafka.data / FEED / f"{venue.name}.json", await cluster_id(connection(kafka)))
    collecting = CollectorSettings()
    async with Publisher(lambda: connection(kafka), collecting) as publisher:
        run = Backfill(venue, HISTORIES[venue.name](), order, publisher, settings, watcher)
        noting = asyncio.create_task(_note(run, publisher, covered, settings.save_s))
        try:
            await run.run(covered)
        finally:
            noting.cancel()
            await asyncio.gather(noting, return_exceptions=True)
            await _save(run, publisher, covered, collecting.flush_timeout_s)
    if publisher.pending:
        raise NetworkError(
            f"Kafka did not take the last {publisher.pending:,} frames; the same command asks for them again"
        )
    return run.totals


async def _note(run: Backfill, publisher: Publisher, covered: Covered, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        await _save(run, publisher, covered, every_s * 10)


async def _save(run: Backfill, publisher: Publisher, covered: Covered, timeout_s: float) -> None:
    """Note what has landed, once Kafka has acknowledged it; what it did not in time stays for the next note."""
    landed = list(run.landed)
    if landed and await publisher.flush(timeout_s):
        covered.add(landed)
        del run.landed[: len(landed)]


async def listed(venue: Venue, requests: Requests) -> Listing:
    """Return the contracts the venue lists now, every page. Raises NetworkError where an answer is not a list."""
    listing: dict[str, tuple[Listed, ...]] = {}
    for poll in (poll for poll in venue.polls if poll.lists and poll.group not in venue.beside):
        items: list[Listed] = []
        following: Params | None = None
        while following != ():
            body = await requests.ask(_of_all(poll, following or ()))
            try:
                page = venue.page(body)
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                raise NetworkError(f"{poll.channel}: the instruments cannot be read: {error}") from None
            items += page.listed
            following = () if page.following == following else page.following
        listing[poll.group] = tuple(items)
    return listing


def client() -> httpx.AsyncClient:
    """Return the HTTP client of a backfill."""
    return httpx.AsyncClient(timeout=CollectorSettings().rest_timeout_s, follow_redirects=True, event_hooks=ENCRYPTED)


def _of_all(poll: Poll, following: Params = ()) -> Request:
    frame = Frame(poll.channel, ALL_SYMBOLS, poll.topic)
    return Request(frame, poll.url, (*poll.params, *following), poll.budget, poll.cost, poll.body)


def _request(one: Series, span: Span) -> Request:
    endpoint = one.endpoint
    frame = Frame(one.channel, one.asked.symbol, endpoint.topic)
    params = () if endpoint.body else one.params(*span)
    return Request(frame, one.url, params, endpoint.budget, endpoint.cost, one.body(*span))


def _now() -> int:
    return time.time_ns() // 1_000_000
