"""What several ingests store that share the logs out is what one stores: whoever reads what, dies, or comes late."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.batch import Batch
from pipelines.ingest.commits import Log
from pipelines.ingest.hearing import book_at, heard, lists_before
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.marks import Marks
from pipelines.ingest.merge import Merge, turn_ms
from pipelines.ingest.resume import committed_from, ended_from, held_from, marks_from
from pipelines.ingest.workers import HEARD, LISTS, share_of
from tests.day.simulated import START_MS as DAY_MS
from tests.pipelines.logs import ALL, GRID_S, Kafka, Plain, Reader, differences, drained
from tests.pipelines.test_same_whenever import HOUR_MS, LENGTH_MS, world
from warehouse.writer import append

INCARNATION = "topic/0"
LOG = Log("cluster", dict.fromkeys(ALL, INCARNATION), "commit")


class Sharing(Reader):
    """One of several ingests of the logs: it has `share`, and hears what contracts are."""

    def __init__(self, kafka: Kafka, warehouse: Plain, share: frozenset[Partition], now_ms: int) -> None:
        self.share = share
        self.from_ms = now_ms
        super().__init__(kafka, warehouse)
        self.now_ms = now_ms

    def kill(self) -> None:
        """Begin from what is stored, as `run.Ingest` does."""
        lake: Any = self.warehouse
        committed = {at: known[-1].offset for at, known in committed_from(lake, "cluster").items()}
        offsets = {at: committed.get(at, 0) for at in ALL if at in self.share or at[0] in HEARD}
        unread = [self.kafka.logs[at][offsets[at]] for at in self.share if offsets[at] < len(self.kafka.logs[at])]
        hears, turn = heard(self.share, offsets), min(map(turn_ms, unread), default=10**14)
        since = {at: lists_before(lake, "cluster", at, INCARNATION, turn) for at in offsets if at[0] in LISTS}
        self.position = offsets | {at: each.offset for at, each in since.items()}
        held, ended, marks = held_from(lake), ended_from(lake), Marks(marks_from(lake))
        self.batch = Batch(GRID_S, held, False, ended, book_at(lake, since, turn), marks, hears)
        self.merge = Merge(self.position, clock=lambda: self.now_ms / 1000)

    def read_some(self, rng: random.Random) -> None:
        for at in self.position:
            if rng.random() < 0.7:
                self.read(at, rng.choice([3, 200, 1000]))

    def commit(self) -> None:
        """Commit what claims offsets that nobody has stored; begin again otherwise."""
        if not self.batch:
            return
        ready = self.batch.take()
        lake: Any = self.warehouse
        stored = {at: known[-1].offset for at, known in committed_from(lake, "cluster").items()}
        if any(stored.get(at, 0) != span.start for at, span in ready.spans.items()):
            self.kill()
            return
        append(lake, ready.tables(LOG, GRID_S))
        self.batch.forget(self.merge.released_ms)

    def drain(self) -> None:
        for at in self.position:
            self.read(at, 10**9)
        self.now_ms += 5
        self.look()
        self.batch.close_buckets()
        self.commit()


def stored_by_several(kafka: Kafka, rng: random.Random) -> Plain:
    """Let one to four ingests read along; now and then there are more or fewer of them, and some have not noticed yet."""
    warehouse, now_ms, end_ms = Plain(), DAY_MS, DAY_MS + LENGTH_MS + 1000
    readers: list[Sharing] = []
    while now_ms < end_ms:
        now_ms = min(end_ms, now_ms + rng.choice([300, 5_000, 40_000, 120_000]))
        if not readers or rng.random() < 0.2:
            count = rng.randrange(1, 5)
            late = rng.sample(readers, k=min(len(readers), rng.randrange(2)))
            readers = [Sharing(kafka, warehouse, share_of(n, count, ALL), now_ms) for n in range(count)] + late
        for reader in rng.sample(readers, k=len(readers)):
            reader.now_ms = now_ms
            reader.read_some(rng)
            reader.look(rng.choice([None, 40, 1000]))
            if rng.random() < 0.7:
                reader.commit()
    for _ in range(2):
        for number in (1, 0):
            Sharing(kafka, warehouse, share_of(number, 2, ALL), end_ms).drain()
    return warehouse


@given(st.integers(0, 10**9), st.sampled_from([0, HOUR_MS]))
@settings(deadline=None, max_examples=3)
def test_several_ingests_that_share_the_logs_out_store_what_one_stores(seed: int, off_ms: int) -> None:
    rng = random.Random(seed)
    kafka = world(rng, off_ms)
    assert differences(stored_by_several(kafka, rng), drained(kafka)) == {}


@pytest.mark.parametrize("count", [2, 4])
def test_an_ingest_that_comes_late_says_of_a_contract_what_was_known_then(count: int) -> None:
    """Another one has stored the lists of the whole time before the first record of liquidations is read."""
    kafka = world(random.Random(1), 0)
    warehouse, end_ms = Plain(), DAY_MS + LENGTH_MS + 1000
    for number in range(count):
        Sharing(kafka, warehouse, share_of(number, count, ALL), end_ms).drain()
    assert differences(warehouse, drained(kafka)) == {}
