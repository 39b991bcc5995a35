"""Reads the logs and hands over what is complete, commit after commit."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from aiokafka.errors import KafkaError

from pipelines.ingest.batch import Batch
from pipelines.ingest.consume import Slice, Source
from pipelines.ingest.merge import Merge
from pipelines.ingest.ready import Ready
from pipelines.settings import IngestSettings

log = logging.getLogger(__name__)

AT_A_TIME = 5_000
POLL_MS = 100
CATCH_UP_MS = 20
CATCH_UP_READS = 10
AGAIN_S = 0.5
Commit = Callable[[Ready], Coroutine[Any, Any, None]]


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
