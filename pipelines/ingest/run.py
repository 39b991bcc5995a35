"""Kafka to the warehouse, exactly once: read, parse, and commit rows together with the offsets they came from.

Reading and parsing go on while a commit is under way in the one writing thread. What is committed is everything that the
brokers took up to some moment, of every topic, so the rows are the same however far behind ingest is. A commit that fails is
tried again with the same batch; nothing is read past it. After a crash, and when a log is no longer the one that was read,
everything starts from the offsets in the warehouse.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiokafka.errors import KafkaError

from collectors.kafka import cluster_id
from pipelines.errors import LogChangedError
from pipelines.ingest.alone import alone
from pipelines.ingest.batch import Batch
from pipelines.ingest.consume import Slice, Source, source
from pipelines.ingest.figures import Figures
from pipelines.ingest.hearing import first_turn_ms, heard
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.marks import Marks
from pipelines.ingest.merge import Merge
from pipelines.ingest.ready import Ready
from pipelines.ingest.store import Known, Store, Totals
from pipelines.ingest.whence import whence
from pipelines.ingest.workers import HEARD, LISTS, Workers
from pipelines.settings import IngestSettings
from warehouse.errors import FencedError

__all__ = ["Ingest", "Totals"]

log = logging.getLogger(__name__)

AT_A_TIME = 5_000
POLL_MS = 100
CATCH_UP_MS = 20
CATCH_UP_READS = 10
AGAIN_S = 0.5
Commit = Callable[[Ready], Coroutine[Any, Any, None]]


class Ingest:
    """One ingest of one world. `told` is called after every commit. `totals`, `figures`: to be counted on. `new_grid`: the
    settings' grid from now on, whatever the lake's was."""

    def __init__(
        self, settings: IngestSettings, told: Callable[[Totals], object] = id, totals: Totals | None = None,
        figures: Figures | None = None, new_grid: bool = False,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._told = told
        self._store = Store(settings, totals, figures, new_grid)
        self._writing = ThreadPoolExecutor(1, "warehouse")

    @property
    def totals(self) -> Totals:
        """What has been committed so far."""
        return self._store.totals

    @property
    def figures(self) -> Figures:
        """The same and more, as metrics."""
        return self._store.figures

    async def run(self, connection: dict[str, Any], follow: bool, stop: asyncio.Event) -> Totals:
        """Read on from the committed offsets: to the present end of every partition, or until `stop` when following.

        `connection`: what `collectors.kafka.connection` returns. Raises WarehouseError, NetworkError, aiokafka's KafkaError,
        and AlreadyRunningError where another ingest works in this world.
        """
        with alone(self._settings.data):
            try:
                async with Workers(self._settings.data, self._settings.worker_gone_s) as workers:
                    while not await self._go(connection, follow, stop, workers):
                        await asyncio.sleep(max(AGAIN_S, workers.pause_s))
                return self.totals
            finally:
                self._writing.shutdown()

    async def _go(self, connection: dict[str, Any], follow: bool, stop: asyncio.Event, workers: Workers) -> bool:
        """Read until it is done, or has to begin again from what is stored; return whether it is done."""
        try:
            is_done = await self._run(connection, follow, stop, workers)
        except (LogChangedError, FencedError) as changed:
            self.figures.fenced += isinstance(changed, FencedError)
            log.warning("ingest state=begins_again reason=%r", str(changed))
            is_done = False
        return is_done or stop.is_set()

    async def _run(self, connection: dict[str, Any], follow: bool, stop: asyncio.Event, workers: Workers) -> bool:
        cluster = await cluster_id(connection)
        async with source(connection) as records:
            try:
                await self._thread(self._store.make)
                await workers.join()
                wanted = await records.ends() if workers.are_several and not follow else {}
                own = workers.share(records.partitions)
                self.figures.workers = workers.count
                known: Known = await self._thread(self._store.open, cluster)
                reading = await self._begin(records, known, own, workers.are_several, patient=follow)
                halt = asyncio.create_task(_either(stop, workers.changed, ended := asyncio.Event()))
                try:
                    await (reading.follow(ended) if follow else reading.drain(ended))
                finally:
                    halt.cancel()
                    await reading.settled()
                return not follow and (not workers.are_several or await self._reached(wanted))
            finally:
                await self._thread(self._store.close)

    async def _begin(
        self, records: Source, known: Known, own: frozenset[Partition], is_shared: bool, patient: bool
    ) -> "Reading":
        """Go to where the stored offsets end; return what reads on from there."""
        records.only({at for at in records.partitions if at in own or at[0] in HEARD})
        found = (await whence(records, known.committed, self._earlier)).of(own)
        await self._thread(self._store.begin, found)
        offsets, book, hears = dict(found.offsets), known.book, dict[Partition, float]()
        if is_shared and (turn := await first_turn_ms(records, own, offsets)) is not None:
            lists = {at: found.incarnations[at] for at in offsets if at[0] in LISTS}
            since, book = await self._thread(self._store.book_before, lists, turn)
            hears, offsets = heard(own, offsets), offsets | since
        elif is_shared:
            hears = heard(own, offsets)
        records.seek(offsets)
        self.figures.begun({at: offset for at, offset in found.offsets.items() if at in own}, records.known_ends)
        settings = self._settings
        marks = await self._thread(self._store.marks_ever) if found.changes else known.marks
        batch = Batch(known.grid_s, known.held, settings.keep_all_frames, known.ended, book, Marks(marks), hears)
        return Reading(records, batch, Merge(offsets), settings, self._commit, self.figures.read, patient=patient)

    async def _reached(self, wanted: Mapping[Partition, int]) -> bool:
        """Tell whether everything before these offsets is committed, by whichever ingest."""
        committed: dict[Partition, int] = await self._thread(self._store.offsets)
        return all(committed.get(at, 0) >= end for at, end in wanted.items())

    async def _thread(self, call: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writing, call, *given)

    async def _earlier(self, at: Partition, incarnation: str) -> Sequence[tuple[int, str]]:
        found: Sequence[tuple[int, str]] = await self._thread(self._store.earlier, at, incarnation)
        return found

    async def _commit(self, ready: Ready) -> None:
        await self._thread(self._store.store, ready)
        self._told(self.totals)


async def _either(one: asyncio.Event, other: asyncio.Event, ended: asyncio.Event) -> None:
    """Set `ended` when one of two events is set."""
    waits = [asyncio.create_task(each.wait()) for each in (one, other)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        ended.set()
    finally:
        for each in waits:
            each.cancel()


class Reading:
    """Reads the logs and hands to `commit` what is complete, until something ends it; a change of the logs raises
    LogChangedError. `told` is given what was read. `patient`: while Kafka does not answer, wait; else raise its error."""

    def __init__(
        self, records: Source, batch: Batch, merge: Merge, settings: IngestSettings, commit: Commit,
        told: Callable[[list[Slice]], object], patient: bool,
    ) -> None:  # fmt: skip
        self._records = records
        self._batch = batch
        self._merge = merge
        self._settings = settings
        self._commit = commit
        self._told = told
        self._patient = patient
        self._committing: asyncio.Task[None] | None = None
        self._silent = False
        self._due = 0.0

    async def follow(self, stop: asyncio.Event) -> None:
        """Go on until `stop`; buckets that are still open then are read again."""
        while not stop.is_set():
            await self._read()
            await self._offer(time.monotonic() >= self._due)
        await self._finished()
        await self._offer(due=True)

    async def drain(self, stop: asyncio.Event) -> None:
        """Go on to the end that every partition has now, or until `stop`."""
        ends = await self._records.ends()
        while not stop.is_set() and not self._merge.released(ends):
            if unread := self._merge.unread(ends):
                await self._read()
            else:
                await asyncio.sleep(0.002)  # for the broker's clock to pass the last record
            await self._offer(time.monotonic() >= self._due or not unread)
        await self._finished()
        if not stop.is_set():
            self._batch.close_buckets()
        await self._offer(due=True)

    async def settled(self) -> None:
        """Wait for the commit that is under way, if any."""
        if self._committing is not None:
            await asyncio.wait([self._committing])
            await self._finished()

    async def _read(self) -> None:
        if not self._full:
            await self._next(CATCH_UP_MS if self._merge.is_due else POLL_MS)
        elif self._committing:
            await asyncio.wait([self._committing])

    async def _next(self, timeout_ms: int) -> None:
        found = await self._records.next(AT_A_TIME, timeout_ms, of=self._merge.wanted())
        self._told(found)
        self._merge.add(found)

    @property
    def _full(self) -> bool:
        batch, settings = self._batch, self._settings
        return batch.frames >= settings.batch_frames or batch.bytes >= settings.batch_bytes

    @property
    def _room(self) -> int:
        """How many records the batch may still take."""
        return max(0, self._settings.batch_frames - self._batch.frames)

    async def _offer(self, due: bool) -> None:
        """Commit what is complete, if it is time, or if enough frames wait, and the last commit is done."""
        if self._committing and self._committing.done():
            await self._finished()
        free = self._committing is None
        if self._batch.is_idle and not self._merge.records:
            return
        if self._merge.records < AT_A_TIME and not (free and (due or self._full)):
            return
        try:
            await self._complete()
            if free and self._batch and (due or self._full):
                await self._records.verify()
                self._committing = asyncio.create_task(self._commit(self._batch.take()))
                self._batch.forget(self._merge.released_ms)
            self._is_answered(None)
        except KafkaError as error:
            if not self._patient:
                raise
            self._is_answered(error)
            await asyncio.sleep(AGAIN_S)
        if free:
            self._due = 0.0 if self._merge.is_due else time.monotonic() + self._settings.commit_interval_s

    def _is_answered(self, error: KafkaError | None) -> None:
        """Write into the log when Kafka stops answering, and when it answers again."""
        if error is not None and not self._silent:
            log.warning("kafka state=silent reason=%r", str(error) or type(error).__name__)
        elif error is None and self._silent:
            log.warning("kafka state=answers")
        self._silent = error is not None

    async def _complete(self) -> None:
        """Read what the other partitions have of the time of what is there, and take out of it what is complete."""
        merge = self._merge
        asked_ms = merge.broker_ms()
        ends = await self._records.ends()
        merge.ended(ends, asked_ms)
        for _ in range(CATCH_UP_READS):
            if not 0 < merge.unread(ends) <= AT_A_TIME:
                break
            await self._next(CATCH_UP_MS)
        self._batch.add(merge.release(self._room))
        self._batch.close_buckets(merge.released_ms)

    async def _finished(self) -> None:
        if self._committing:
            done, self._committing = self._committing, None
            await done
