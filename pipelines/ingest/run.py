"""Kafka to the warehouse, exactly once: read, parse, and commit rows together with the offsets they came from.

Reading and parsing go on while a commit is under way in the one writing thread. What is committed is everything that the
brokers took up to some moment, of every topic, so the rows are the same however far behind ingest is. A commit that fails is
tried again with the same batch; nothing is read past it. After a crash, and when a log is no longer the one that was read,
everything starts from the offsets in the warehouse.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from collectors.kafka import cluster_id
from pipelines.errors import LogChangedError
from pipelines.ingest.alone import alone
from pipelines.ingest.batch import Batch
from pipelines.ingest.consume import Source, source
from pipelines.ingest.figures import Figures
from pipelines.ingest.hearing import first_turn_ms, heard
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.marks import Marks
from pipelines.ingest.merge import Merge
from pipelines.ingest.reading import Reading
from pipelines.ingest.ready import Ready
from pipelines.ingest.store import Known, Store, Totals
from pipelines.ingest.whence import whence
from pipelines.ingest.workers import HEARD, LISTS, Workers
from pipelines.settings import IngestSettings
from warehouse.errors import FencedError

__all__ = ["Ingest", "Totals"]

log = logging.getLogger(__name__)

AGAIN_S = 0.5
TURN_S = 0.0005


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
        with alone(self._settings.data), short_turns():
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
    ) -> Reading:
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


@contextmanager
def short_turns() -> Iterator[None]:
    """Let Python's threads take turns more often: else the one that writes waits 5 ms after each step that it does without
    Python, as long as the other reads."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


async def _either(one: asyncio.Event, other: asyncio.Event, ended: asyncio.Event) -> None:
    """Set `ended` when one of two events is set."""
    waits = [asyncio.create_task(each.wait()) for each in (one, other)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        ended.set()
    finally:
        for each in waits:
            each.cancel()
