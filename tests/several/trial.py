"""A trial: frames go into Kafka, several ingests store them and are killed; then their lake is compared with that of one."""

import asyncio
import os
import random
import signal
import statistics
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from collectors.envelope import to_record
from collectors.topics import LIQUIDATION, TOPICS
from pipelines.ingest.run import Ingest
from pipelines.settings import IngestSettings
from tests.pipelines.logs import ACCOUNTS
from tests.several.brokers import NODES, Brokers
from tests.several.crowd import Committed, Crowd
from tests.several.frames import frames
from tests.warehouse.servers import S3
from warehouse import lake
from warehouse.beside import Beside
from warehouse.errors import WarehouseError
from warehouse.place import Place
from warehouse.tables import TABLES

LOOK_S = 0.2
AWAY_S = 0.5, 8.0
"""How long the S3 server is away."""
TAKEN_OVER_S = 300.0
CAUGHT_UP_S = 240.0
OTHERS = "pid <> pg_backend_pid() AND backend_type = 'client backend' AND datname = current_database()"
TERMINATE = (
    f"SELECT count(pg_terminate_backend(pid)) AS n FROM (SELECT pid FROM pg_stat_activity WHERE {OTHERS} {{some}}) AS a"
)
PROCESSES = f"SELECT pid FROM pg_stat_activity WHERE {OTHERS} ORDER BY random() LIMIT 1"

WHERE = {"leverage_tiers": "WHERE source <> 'static'"}
"""What is compared: tables of the package's own say when they were loaded."""


@dataclass
class Told:
    """What happened: faults by kind, and the seconds until each partition was committed again after those of a kind."""

    faults: Counter[str] = field(default_factory=Counter)
    takeovers_s: dict[str, list[float]] = field(default_factory=dict)
    starts: int = 0
    records: int = 0
    differences: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{count} x {name}" for name, count in sorted(self.faults.items()))
        took = [
            f"{name} {statistics.median(each):.1f} s median, {max(each):.1f} s at most"
            for name, each in sorted(self.takeovers_s.items())
        ]
        return (
            f"{self.records:,} records; {told}; {self.starts} starts; committed again after: {'; '.join(took) or '-'}"
        )


class Trial:
    """One trial. `rate`: frames a second; `kafka`: how aiokafka reaches it; `shared`: the settings that lead to the lake;
    `brokers`, `s3`: those that may be killed."""

    def __init__(
        self, folder: Path, kafka: dict[str, Any], shared: Mapping[str, str], workers: int, seed: int, rate: int,
        brokers: Brokers | None = None, s3: S3 | None = None, gone_s: float = 10.0,
    ) -> None:  # fmt: skip
        self._brokers, self._s3 = brokers, s3
        self._crowd = Crowd(folder, kafka["bootstrap_servers"], shared, workers, gone_s=gone_s)
        self._kafka, self._rate = kafka, rate
        self._rng, self._told, self._sent = random.Random(seed), Told(), 0
        self._committed = Committed(self._crowd)
        self._frames = frames(seed)

    async def run(self, faults: list[str]) -> Told:
        """Do all faults one after another, wait until all is committed, and compare."""
        keeping = asyncio.create_task(self._crowd.keep())
        sending = asyncio.create_task(self._send())
        try:
            await self._until(lambda: len(self._growing()) > 3, CAUGHT_UP_S, "the ingests begin")
            for name in faults:
                self._told.faults[name] += 1
                await getattr(self, f"_{name}")()
            sending.cancel()
            await asyncio.wait([sending])
            await self._caught_up()
        finally:
            sending.cancel()
            keeping.cancel()
            await asyncio.wait([sending, keeping])
            self._committed.close()
        self._told.starts = self._crowd.starts
        self._told.differences = await self._compared()
        return self._told

    async def _kill(self) -> None:
        """Kill an ingest; it is started again at once."""
        self._crowd.kill(self._any())
        await self._taken_over("kill")

    async def _lose(self) -> None:
        """Kill an ingest, as if its machine were gone: it does not come back before the others have its partitions."""
        number = self._any()
        self._crowd.away.add(number)
        self._crowd.kill(number)
        await self._taken_over("lose")
        self._crowd.away.discard(number)

    async def _freeze(self) -> None:
        """Stop an ingest until the others have its partitions, and let it go on: it believes to have them still."""
        number = self._any()
        process = self._crowd.running[number]
        process.send_signal(signal.SIGSTOP)
        await self._taken_over("freeze")
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)

    async def _terminate(self) -> None:
        """End a session of PostgreSQL."""
        await self._ask(TERMINATE.format(some="ORDER BY random() LIMIT 1"))

    async def _terminate_all(self) -> None:
        """End all of them, as a restart does."""
        await self._ask(TERMINATE.format(some=""))

    async def _crash(self) -> None:
        """Kill a session's process: PostgreSQL ends all others and recovers."""
        for (pid,) in await self._ask(PROCESSES):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def _broker(self) -> None:
        """Kill a broker, and start it again once everything goes on without it."""
        assert self._brokers
        node = self._rng.choice(NODES)
        self._brokers.kill(node)
        await self._taken_over("broker")
        await asyncio.to_thread(self._brokers.start, node)
        await self._brokers.answers(node)

    async def _files(self) -> None:
        """Kill the S3 server, and start it again after some seconds with what it has stored."""
        assert self._s3
        self._s3.kill()
        await asyncio.sleep(self._rng.uniform(*AWAY_S))
        await asyncio.to_thread(self._s3.start)
        await self._taken_over("files")

    async def _taken_over(self, after: str) -> None:
        """Wait until each partition of liquidations is committed that has grown since now; note how long that took."""
        began, before = time.monotonic(), dict(self._committed.offsets)
        wanted = [at for at in before if at.startswith(LIQUIDATION)]
        behind = await self._ends()
        await self._until(
            lambda: all(self._committed.offsets[at] > before[at] or behind[at] == before[at] for at in wanted)
            and all(self._committed.offsets[at] >= behind[at] for at in wanted),
            TAKEN_OVER_S, "somebody takes over",
        )  # fmt: skip
        took_s = time.monotonic() - began
        self._told.takeovers_s.setdefault(after, []).append(took_s)
        print(f"  fault {self._told.faults.total()}: {after}, committed again after {took_s:.1f} s", flush=True)

    def _any(self) -> int:
        return self._rng.choice(sorted(self._crowd.running.keys() - self._crowd.away))

    def _growing(self) -> list[str]:
        return [at for at in self._committed.offsets if at.startswith(LIQUIDATION)]

    async def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        place = Place(self._crowd.folder / "w0", self._crowd.settings())
        await asyncio.sleep(self._rng.uniform(0.1, 1.0))
        with closing(Beside(place, "killer")) as session:
            return await asyncio.to_thread(session.rows, sql)

    async def _until(self, holds: Any, within_s: float, what: str) -> None:
        deadline = time.monotonic() + within_s
        while True:
            with suppress(duckdb.Error, WarehouseError):
                await asyncio.to_thread(self._committed.look)
                if holds():
                    return
            assert time.monotonic() < deadline, f"not within {within_s} s: {what}; logs are in {self._crowd.folder}"
            await asyncio.sleep(LOOK_S)

    async def _send(self) -> None:
        async with AIOKafkaProducer(**self._kafka, acks="all", enable_idempotence=True) as producer:
            while True:
                waiting = []
                for frame in islice(self._frames, self._rate // 10):
                    record = to_record(frame)
                    waiting.append(
                        await producer.send(frame.topic, value=record.value, key=record.key, headers=record.headers)
                    )
                await asyncio.shield(asyncio.gather(*waiting))
                self._told.records += len(waiting)
                await asyncio.sleep(0.1)

    async def _ends(self) -> dict[str, int]:
        async with AIOKafkaConsumer(**self._kafka) as consumer:
            parts = [TopicPartition(topic.name, n) for topic in TOPICS for n in range(topic.partitions)]
            ends = await consumer.end_offsets(parts)
        return {f"{part.topic}/{part.partition}": end for part, end in ends.items()}

    async def _caught_up(self) -> None:
        ends = {at: end for at, end in (await self._ends()).items() if end}
        reached = self._committed.offsets
        await self._until(lambda: all(reached.get(at, 0) >= end for at, end in ends.items()), CAUGHT_UP_S, "the end")

    async def _compared(self) -> dict[str, object]:
        """Return the tables that are not as one undisturbed ingest fills them: how many rows only one of both has, some."""
        alone = self._crowd.folder / "alone"
        settings = IngestSettings(data=alone, grid_s=self._crowd.grid_s)
        await Ingest(settings).run(self._kafka, follow=False, stop=asyncio.Event())
        with lake.open(alone) as one, lake.open(self._crowd.folder / "w0", settings=self._crowd.settings()) as several:
            return _differences(one, several)


def _differences(one: lake.Lake, several: lake.Lake) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in TABLES:
        if name in ACCOUNTS or name == "schema_history":
            continue
        query = f"FROM {name} {WHERE.get(name, '')}"
        rows = [sorted(map(repr, each.connection.execute(query).fetchall())) for each in (one, several)]
        if rows[0] != rows[1]:
            own, others = set(rows[0]) - set(rows[1]), set(rows[1]) - set(rows[0])
            found[name] = len(own), len(others), sorted(own)[:2], sorted(others)[:2]
    lost = "SELECT coalesce(sum(missing), 0)::BIGINT, coalesce(sum(duplicates), 0)::BIGINT FROM frames_accounted"
    if (told := several.connection.execute(lost).fetchone()) != (0, 0):
        found["frames_accounted"] = told or (-1, -1)
    gaps = """SELECT count(*) FROM (SELECT offset_from, lag(offset_next) OVER (
        PARTITION BY kafka_topic, kafka_partition ORDER BY offset_from) AS before FROM ingest_commits)
        WHERE before IS DISTINCT FROM offset_from AND before IS NOT NULL"""
    if (bad := several.connection.execute(gaps).fetchone()) != (0,):
        found["ingest_commits"] = (bad or (0,))[0], 0
    return found
