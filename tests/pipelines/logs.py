"""A Kafka without Kafka, and an ingest of it whose every step is chosen: what it reads, when it looks, commits, is killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zlib import crc32

import duckdb
import msgspec

from collectors.envelope import MS_NS, RawFrame, arrival_ns
from collectors.topics import TOPICS
from pipelines.ingest.batch import Batch
from pipelines.ingest.commits import Log
from pipelines.ingest.consume import Slice
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.marks import Marks
from pipelines.ingest.merge import Merge
from pipelines.ingest.resume import committed_from, ended_from, held_from, instruments_from, marks_from
from warehouse.noted import NOTHING_NOTED
from warehouse.tables import TABLES
from warehouse.writer import append

GRID_S = 60
PARTITIONS = {topic.name: topic.partitions for topic in TOPICS}
ALL = [(topic.name, n) for topic in TOPICS for n in range(topic.partitions)]
ACCOUNTS = ("session_frames", "ingest_commits", "commit_duplicates", "rollup_pending")
"""Tables that say how it was stored; all others say what."""


class Plain:
    """The warehouse's tables in a plain DuckDB in memory, for `writer.append` and the queries of `resume`."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.noted = NOTHING_NOTED
        for table in TABLES.values():
            columns = ", ".join(f'"{name}" {kind}' for name, kind in table.types.items())
            self.connection.execute(f"CREATE TABLE {table.name} ({columns})")
        self.connection.execute("CREATE MACRO ducklake_current_snapshot(name) AS TABLE SELECT 1 AS id")

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        self.connection.execute("BEGIN")
        yield self.connection
        self.connection.execute("COMMIT")

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """Return all rows of a table, in an order of their own."""
        return sorted(self.connection.execute(f"FROM {table}").fetchall(), key=repr)

    def stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return what is stored, by table."""
        return {name: self.rows(name) for name in TABLES if name not in ACCOUNTS}


def partition_of(frame: RawFrame) -> int:
    """Return the partition that a collector would send a frame to."""
    return crc32(f"{frame.venue}|{frame.channel}|{frame.symbol}".encode()) % PARTITIONS[frame.topic]


class Kafka:
    """The logs of all partitions. Frames are put in the order the broker takes them, `now_ms` by its clock."""

    def __init__(self) -> None:
        self.logs: dict[Partition, list[RawFrame]] = {at: [] for at in ALL}

    def put(self, frame: RawFrame, now_ms: int, sent_ns: int | None = None) -> None:
        """Append a frame; `sent_ns`: its collector's clock then."""
        at = (frame.topic, partition_of(frame))
        log = self.logs[at]
        arrived = arrival_ns(frame.recv_ns, now_ms * MS_NS + MS_NS - 1, sent_ns)
        log.append(
            msgspec.structs.replace(frame, partition=at[1], offset=len(log), appended_ms=now_ms, arrived_ns=arrived)
        )

    def ends(self, now_ms: int) -> dict[Partition, int]:
        """Return every log's end at a time."""
        return {at: sum(frame.appended_ms <= now_ms for frame in log) for at, log in self.logs.items()}

    def slice(self, at: Partition, start: int, end: int) -> Slice:
        """Return records of a partition."""
        return Slice(at, start, end, self.logs[at][start:end], [])


class Reader:
    """One ingest of the logs. `now_ms`: what of them is there; `kill` loses everything that is not committed."""

    def __init__(self, kafka: Kafka, warehouse: Plain) -> None:
        self.kafka = kafka
        self.warehouse = warehouse
        self.now_ms = 0
        self.kill()

    def kill(self) -> None:
        lake: Any = self.warehouse
        committed = {at: known[-1].offset for at, known in committed_from(lake, "cluster").items()}
        self.position = {at: committed.get(at, 0) for at in ALL}
        self.batch = Batch(
            GRID_S, held_from(lake), False, ended_from(lake), instruments_from(lake), Marks(marks_from(lake))
        )
        self.merge = Merge(self.position, clock=lambda: self.now_ms / 1000)

    def read(self, at: Partition, most: int) -> None:
        """Read so many records of a partition, as far as they are there."""
        start, end = self.position[at], min(self.kafka.ends(self.now_ms)[at], self.position[at] + most)
        if start < end:
            self.merge.add([self.kafka.slice(at, start, end)])
            self.position[at] = end

    def look(self, most: int | None = None) -> None:
        """Ask for the ends, and take out what is complete, `most`: about so many records of it."""
        self.merge.ended(self.kafka.ends(self.now_ms), self.merge.broker_ms())
        self.batch.add(self.merge.release(most))
        self.batch.close_buckets(self.merge.released_ms)

    def commit(self) -> None:
        if self.batch:
            append(self.warehouse, self.batch.take().tables(Log("cluster", {}, "commit"), GRID_S))  # type: ignore[arg-type]
            self.batch.forget(self.merge.released_ms)

    def drain(self) -> None:
        """Read and commit everything that is there."""
        for at in ALL:
            self.read(at, 10**9)
        self.now_ms += 5
        self.look()
        self.batch.close_buckets()
        self.commit()


def drained(kafka: Kafka) -> Plain:
    """Return what one ingest stores that comes when all is over."""
    warehouse = Plain()
    reader = Reader(kafka, warehouse)
    reader.now_ms = max(log[-1].appended_ms for log in kafka.logs.values() if log) + 1
    reader.drain()
    return warehouse


def differences(one: Plain, other: Plain) -> dict[str, tuple[int, int, list[Any], list[Any]]]:
    """Return the tables in which two warehouses differ: their rows' numbers, and some rows that only one has."""
    found = {}
    for name in TABLES:
        if name in ACCOUNTS:
            continue
        a, b = one.rows(name), other.rows(name)
        if a != b:
            found[name] = (
                len(a),
                len(b),
                [row for row in a if row not in b][:3],
                [row for row in b if row not in a][:3],
            )
    return found
