"""Kafka to the warehouse, exactly once: read, parse, and commit rows together with the offsets they came from.

Reading and parsing go on while a commit is under way in the one writing thread. A commit that fails is tried again with
the same batch; nothing is read past it. After a crash everything starts from the offsets in the warehouse.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from collectors.kafka import cluster_id
from collectors.topics import REFERENCE
from pipelines.contracts.static_tiers import with_static
from pipelines.ingest.alone import alone
from pipelines.ingest.batch import Batch, Ready
from pipelines.ingest.consume import Partition, Slice, Source, source
from pipelines.ingest.figures import Figures
from pipelines.ingest.grid import GRACE_S
from pipelines.ingest.resume import ended_from, held_from, instruments_from
from pipelines.rows import Rejected
from pipelines.settings import IngestSettings
from warehouse import lake, schema, writer
from warehouse.errors import QueryError, WarehouseError, WriteFailedError
from warehouse.query import query_errors

log = logging.getLogger(__name__)

AT_A_TIME = 5_000
POLL_MS = 100
RETRY_S = (0.2, 1.0, 5.0, 15.0, 60.0)
NAMED_DEAD_LETTERS = 5
RENEW_COMMITS = 500  # some seven minutes, in which memory grows by 25 MB


class Totals(msgspec.Struct):
    """What was committed: records read, rows per table, rows left out as stored already, dead letters, commits, and why
    frames carried nothing."""

    records: int = 0
    rows: Counter[str] = msgspec.field(default_factory=Counter)
    duplicates: int = 0
    dead_letters: int = 0
    commits: int = 0
    reasons: Counter[str] = msgspec.field(default_factory=Counter)


class Ingest:
    """One ingest of one world. `told` is called after every commit."""

    def __init__(
        self, settings: IngestSettings, told: Callable[[Totals], object] = id, figures: Figures | None = None,
        totals: Totals | None = None,
    ) -> None:  # fmt: skip
        self.totals = totals or Totals()
        self.figures = figures or Figures(settings.grid_s)
        self._settings = settings
        self._told = told
        self._writing = ThreadPoolExecutor(1, "warehouse")
        self._commit: asyncio.Future[None] | None = None
        self._due = 0.0

    async def run(self, connection: dict[str, Any], follow: bool, stop: asyncio.Event) -> Totals:
        """Read on from the committed offsets: to the present end of every partition, or until `stop` when following.

        `connection`: what `collectors.kafka.connection` returns. Raises WarehouseError, NetworkError, aiokafka's KafkaError,
        and AlreadyRunningError where another ingest works in this world.
        """
        with alone(self._settings.data):
            return await self._run(connection, follow, stop)

    async def _run(self, connection: dict[str, Any], follow: bool, stop: asyncio.Event) -> Totals:
        loop = asyncio.get_running_loop()
        self._cluster = await cluster_id(connection)
        async with source(connection) as records:
            held, ended, offsets = await loop.run_in_executor(self._writing, self._open)
            await records.seek(offsets)
            self.figures.begun(records.position(), records.known_ends)
            batch = Batch(self._settings.grid_s, held, self._settings.keep_all_frames, ended)
            try:
                await self._contracts_first(records, batch)
                await (self._follow(records, batch, stop) if follow else self._drain(records, batch, stop))
                await self._finished()
            finally:
                await loop.run_in_executor(self._writing, self._close)
                self._writing.shutdown()
        return self.totals

    async def _contracts_first(self, records: Source, batch: Batch) -> None:
        """Read what is there on contracts before anything that is counted in them."""
        ends = {at: end for at, end in (await records.ends()).items() if at[0] == REFERENCE}
        while _behind(records, ends):
            self._add(batch, await records.next(AT_A_TIME, POLL_MS, only=REFERENCE))
            await self._offer(batch)

    async def _follow(self, records: Source, batch: Batch, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._read(records, batch)
            # by the clock only where nothing older waits: of a backlog the frames themselves say where a bucket ends
            batch.close_buckets(time.time_ns() - int(GRACE_S * 1e9), of=records.caught_up())
            await self._offer(batch)
        if batch:
            await self._write(batch.take())

    async def _drain(self, records: Source, batch: Batch, stop: asyncio.Event) -> None:
        ends = await records.ends()
        while not stop.is_set() and _behind(records, ends):
            await self._read(records, batch)
            await self._offer(batch)
        if not stop.is_set():
            batch.close_buckets()
        if batch:
            await self._write(batch.take())

    async def _read(self, records: Source, batch: Batch) -> None:
        if batch.frames < self._settings.batch_frames and batch.bytes < self._settings.batch_bytes:
            self._add(batch, await records.next(AT_A_TIME, 0, only=REFERENCE))
            self._add(batch, await records.next(AT_A_TIME, POLL_MS))
        elif self._commit:
            await asyncio.wait([self._commit])

    def _add(self, batch: Batch, slices: list[Slice]) -> None:
        self.figures.read(slices)
        batch.add(slices)

    async def _offer(self, batch: Batch) -> None:
        """Commit if there is something, the last commit is done, and enough time or enough frames have gone by."""
        if self._commit and self._commit.done():
            await self._finished()
        full = batch.frames >= self._settings.batch_frames or batch.bytes >= self._settings.batch_bytes
        if batch and self._commit is None and (full or time.monotonic() >= self._due):
            await self._write(batch.take())

    async def _write(self, ready: Ready) -> None:
        await self._finished()
        self._due = time.monotonic() + self._settings.commit_interval_s
        self._commit = asyncio.get_running_loop().run_in_executor(self._writing, self._store, ready)

    async def _finished(self) -> None:
        if self._commit:
            await self._commit
            self._commit = None
            self._told(self.totals)

    # what follows runs in the writing thread, which alone touches the lake

    def _open(self) -> tuple[dict[tuple[str, str], Any], dict[str, int], dict[Partition, int]]:
        world: Path = self._settings.data
        changed = schema.create_or_migrate(world)
        if changed:
            log.info("warehouse schema_changes=%d first=%r", len(changed), changed[0])
        for line in changed:
            log.debug("warehouse schema=%r", line)
        self._lake = lake.open(world, read_only=False)
        with query_errors():
            self._instruments, tiers = with_static(instruments_from(self._lake), datetime.now(UTC))
            if tiers.height:
                self._append({"leverage_tiers": tiers})
            return held_from(self._lake), ended_from(self._lake), writer.offsets(self._lake, self._cluster)

    def _close(self) -> None:
        if hasattr(self, "_lake"):
            self._lake.close()

    def _store(self, ready: Ready) -> None:
        tables, book = ready.tables(self._instruments, self._cluster, self._settings.grid_s)
        with self.figures.commit_seconds.time():
            stored = self._append(tables)
        self._instruments = book
        totals = self.totals
        totals.commits += 1
        totals.records += sum(ready.records.values())
        totals.rows.update({name: each.rows for name, each in stored.items()})
        totals.duplicates += sum(each.duplicates for each in stored.values())
        totals.dead_letters += stored["dead_letters"].rows
        totals.reasons.update(ready.parsed.reasons)
        self.figures.committed(ready.offsets, ready.records, stored)
        _name_dead_letters(ready)
        if totals.commits % RENEW_COMMITS == 0:
            self._renew()

    def _renew(self) -> None:
        try:
            self._lake.renew()
        except WarehouseError as error:
            log.warning("warehouse state=not_renewed reason=%r", str(error))

    def _append(self, tables: Mapping[str, pl.DataFrame]) -> dict[str, writer.Appended]:
        for turn, delay in enumerate(RETRY_S):
            try:
                return self._append_once(tables, again=turn > 0)
            except (WriteFailedError, QueryError) as error:
                log.warning("commit state=failed again_in_s=%g reason=%r", delay, str(error))
                self.figures.failures += 1
                time.sleep(delay)
        return self._append_once(tables, again=True)

    def _append_once(self, tables: Mapping[str, pl.DataFrame], *, again: bool) -> dict[str, writer.Appended]:
        if again and self._is_stored(tables):
            log.warning("commit state=stored reason='it was stored after all: only the answer was lost'")
            return {name: writer.Appended(frame.height, 0) for name, frame in tables.items()}
        return writer.append(self._lake, tables)

    def _is_stored(self, tables: Mapping[str, pl.DataFrame]) -> bool:
        """Tell whether the offsets of this batch are in the warehouse, as they are stored with its rows."""
        if (commits := tables.get("ingest_commits")) is None:
            return False
        with query_errors():
            stored = writer.offsets(self._lake, self._cluster)
        told = commits.select("kafka_topic", "kafka_partition", "offset_next").iter_rows()
        return any(stored.get((topic, partition), 0) >= offset for topic, partition, offset in told)


def _behind(records: Source, ends: Mapping[Partition, int]) -> bool:
    position = records.position()
    return any(position[partition] < end for partition, end in ends.items())


def _name_dead_letters(ready: Ready) -> None:
    facts = ready.parsed.rejected
    for row, position in list(zip(facts.rows, facts.frames, strict=True))[:NAMED_DEAD_LETTERS]:
        frame = ready.parsed.frames[position]
        assert isinstance(row, Rejected)
        log.warning(
            "dead letter: %s %s %s at %s[%d]@%d%s: %s",
            frame.venue, frame.channel, frame.symbol, frame.topic, frame.partition, frame.offset,
            f" {row.item}" if row.item else "", row.reason,
        )  # fmt: skip
    if len(facts.rows) > NAMED_DEAD_LETTERS:
        log.warning("and %d dead letters more in this batch; `from dead_letters`", len(facts.rows) - NAMED_DEAD_LETTERS)
