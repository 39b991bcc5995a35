"""What ingest has read and committed, as metrics: how far it is behind, and since when."""

import shutil
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pipelines.ingest.commits import Span
from pipelines.ingest.consume import Slice
from pipelines.ingest.incarnation import Partition
from pipelines.kept import STATE_TOPICS
from warehouse.commits import Commits
from warehouse.writer import Appended

COMMIT_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
LATE_S = 300.0
"""Records that wait for longer are what ails the process; of state topics so long beside the grid's time."""


class Figures:
    """Counts what ingest does. `clock`: UTC seconds since 1970. `world`: whose disk's room is told."""

    def __init__(self, grid_s: int = 60, clock: Callable[[], float] = time.time, world: Path | None = None) -> None:
        self.commit_seconds = Histogram(
            "liq_ingest_commit_seconds", "How long one commit took", registry=None, buckets=COMMIT_S
        )
        self.commits = Commits()
        """Those of the warehouse, which waits for its write lock and meets other writers."""
        self.last_commit_s = 0.0
        self.failures = 0
        self.fenced = 0
        self.workers = 1
        self.away = ""
        """Why there is no Kafka to read from; empty: there is."""
        self.records: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.duplicates = 0
        self.dead_letters = 0
        self._grid_s = grid_s
        self._clock = clock
        self._world = world
        self._ends: Callable[[], Mapping[Partition, int]] = dict
        self._committed: dict[Partition, int] = {}
        self._waiting: dict[Partition, deque[tuple[int, float]]] = {}

    def on_grid(self, grid_s: int) -> None:
        """Take the seconds of the grid that state is kept on: its records may wait for so long."""
        self._grid_s = grid_s

    @property
    def is_begun(self) -> bool:
        """Whether reading has ever begun."""
        return bool(self._committed)

    def begun(self, offsets: Mapping[Partition, int], ends: Callable[[], Mapping[Partition, int]]) -> None:
        """Take where reading begins, of the partitions to be stored, and what returns how far each log reached last."""
        self.away = ""
        self._committed = dict(offsets)
        self._waiting.clear()
        self._ends = ends

    def read(self, slices: Iterable[Slice]) -> None:
        """Take what was read and is not committed yet."""
        for found in slices:
            if found.partition not in self._committed:  # another ingest stores it
                continue
            frames = found.frames or [each.frame for each in found.malformed]
            if frames:
                waiting = self._waiting.setdefault(found.partition, deque())
                waiting.append((found.next, frames[0].at_ns / 1e9))

    def committed(self, spans: Mapping[Partition, Span], stored: Mapping[str, Appended]) -> None:
        """Take the records that a commit covers of each partition, and what was stored of each table."""
        self.last_commit_s = self._clock()
        for at, span in spans.items():
            self._committed[at] = span.next
            self.records[at[0]] += span.records
            waiting = self._waiting.get(at, deque())
            while waiting and waiting[0][0] <= span.next:
                waiting.popleft()
        self.rows.update({name: each.rows for name, each in stored.items() if each.rows})
        self.duplicates += sum(each.duplicates for each in stored.values())
        self.dead_letters += stored["dead_letters"].rows if "dead_letters" in stored else 0

    def lags(self) -> dict[str, tuple[int, float]]:
        """Return per topic the records that are not committed, and for how long the oldest that was read has waited, s."""
        found: dict[str, tuple[int, float]] = {}
        now = self._clock()
        for at, end in dict(self._ends()).items():
            if at not in self._committed:
                continue
            behind = max(0, end - self._committed.get(at, end))
            waited = max(0.0, now - self._oldest(at, now)) if behind else 0.0
            before = found.get(at[0], (0, 0.0))
            found[at[0]] = (before[0] + behind, max(before[1], waited))
        return found

    def _oldest(self, at: Partition, now: float) -> float:
        try:
            return self._waiting[at][0][1]
        except (KeyError, IndexError):  # nothing was read that is not committed, or it is being committed now
            return now

    def wrong(self) -> list[str]:
        """Return what is wrong with ingest: no Kafka, topics whose records wait for too long."""
        return [self.away] * bool(self.away) + [
            f"{behind} records of {topic} wait, the oldest for {waited:.0f} s"
            for topic, (behind, waited) in self.lags().items()
            if waited > LATE_S + (self._grid_s if topic in STATE_TOPICS else 0)
        ]

    def metrics(self) -> Iterable[Metric]:
        """Return everything as Prometheus has it."""
        lags = self.lags()
        yield _gauge(
            "lag_records", "Records in Kafka that are not committed", {k: lag[0] for k, lag in lags.items()}, "topic"
        )
        yield _gauge(
            "lag_seconds", "How long the oldest of them has waited", {k: lag[1] for k, lag in lags.items()}, "topic"
        )
        yield _counter("records", "Records committed", self.records, "topic")
        yield _counter("rows", "Rows committed", self.rows, "table")
        for name, help, value in (
            ("duplicates", "Rows left out as stored already", self.duplicates),
            ("dead_letters", "Frames, or items of frames, that could not be read", self.dead_letters),
            ("commit_failures", "Commits that failed and were tried again", self.failures),
            ("commit_attempts", "Transactions, those among them that had to be done again", self.commits.attempts),
            ("commit_conflicts", "Transactions done again because others had committed", self.commits.conflicts),
            ("commit_lock_wait_seconds", "Time spent waiting for the write lock", self.commits.waited_s),
            ("commit_files", "Data files made", self.commits.files),
            ("commit_bytes", "Bytes of these files", self.commits.bytes),
            ("batches_fenced", "Batches thrown away, as another ingest had stored their records", self.fenced),
        ):
            yield CounterMetricFamily(f"liq_ingest_{name}", help, value=value)
        yield GaugeMetricFamily("liq_ingest_workers", "Ingests that share the lake, this one too", value=self.workers)
        help = "Snapshots in the catalogue at the last commit; `liq maintain` expires old ones"
        yield GaugeMetricFamily("liq_lake_snapshots", help, value=self.commits.snapshots)
        if self.last_commit_s:
            help = "When the last commit was made"
            yield GaugeMetricFamily("liq_ingest_last_commit_timestamp_seconds", help, value=self.last_commit_s)
        yield from self.commit_seconds.collect()
        if self._world:
            room = shutil.disk_usage(self._world)
            yield GaugeMetricFamily("liq_disk_free_bytes", "Room on the disk of the data", value=room.free)
            yield GaugeMetricFamily("liq_disk_size_bytes", "Size of the disk of the data", value=room.total)


def _gauge(name: str, help: str, values: Mapping[str, float], label: str) -> Metric:
    metric = GaugeMetricFamily(f"liq_ingest_{name}", help, labels=[label])
    for key, value in values.items():
        metric.add_metric([key], value)
    return metric


def _counter(name: str, help: str, values: Mapping[str, int], label: str) -> Metric:
    metric = CounterMetricFamily(f"liq_ingest_{name}", help, labels=[label])
    for key, value in list(values.items()):
        metric.add_metric([key], value)
    return metric
