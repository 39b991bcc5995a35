"""The door of ingest: records as Kafka might hold them, by batch and commit into a real lake, and what is derived there."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, cast

import polars as pl
from aiokafka import AIOKafkaConsumer, TopicPartition

from collectors.envelope import to_record
from collectors.topics import EVENTS, TOPICS
from pipelines.check.checking import audit
from pipelines.derive.bars.run import rollup
from pipelines.derive.cascades.run import detect
from pipelines.derive.coverage.cover import cover
from pipelines.ingest.batch import Batch
from pipelines.ingest.commits import Log
from pipelines.ingest.consume import Slice, Source
from pipelines.ingest.marks import Marks
from tests.fuzz.bounds import bounded, wrong_sides
from tests.fuzz.cases import ODD, case
from tests.fuzz.dice import Dice
from tests.fuzz.targets import HEADERS, KEYS, NOW_NS, VALUES, frame_of
from warehouse import lake, schema, writer

MOST_S = 60.0
GRID_S = 60
EVENT_FIELDS = ("event", "venue", "session", "transport", "ts_ns", "frames", "reason", "detail")
EVENT_NAMES = ("connected", "started", "subscribed", "silent", "rolled_over", "disconnected", "stopped", "poll_failed",
               "poll_stopped", "resumed", "paused", "alive", "clock", "dropped", "nobody knows")  # fmt: skip
CHANNELS: tuple[Any, ...] = (
    [{"channel": "forceOrder", "topic": "raw.liquidation", "arguments": 1}], "x", [], {}, None, [1], [{}], [{"channel": 1}],
    [{"channel": "x", "topic": None}], [{"channel": "x", "topic": "raw.ticker", "arguments": 10**30}], [[]],
)  # fmt: skip


class Record(NamedTuple):
    """What aiokafka hands out, as far as it is read."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class _Consumer:
    """An AIOKafkaConsumer of records that are given."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = list(records)
        self._ends: dict[TopicPartition, int] = {}
        for each in records:
            at = TopicPartition(each.topic, each.partition)
            self._ends[at] = max(self._ends.get(at, 0), each.offset + 1)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        return

    def seek(self, partition: TopicPartition, offset: int) -> None:
        return

    def highwater(self, partition: TopicPartition) -> int:
        return self._ends.get(partition, 0)

    async def getmany(
        self, *wanted: TopicPartition, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, list[Record]]:
        found: dict[TopicPartition, list[Record]] = {}
        for each in self._records:
            found.setdefault(TopicPartition(each.topic, each.partition), []).append(each)
        self._records = []
        return found


def records(dice: Dice, count: int) -> list[Record]:
    """Return records: frames of all channels, events, and some whose headers or keys are none."""
    offsets: dict[str, int] = {}
    found = []
    for n in range(count):
        topic = dice.of(TOPICS).name
        key, value, headers = to_record(frame_of(case(dice), n))
        if topic == EVENTS or not dice.below(6):
            topic, value = EVENTS, _event(dice)
        named = list(headers)
        for _ in range(dice.below(3) if not dice.below(4) else 0):
            at = dice.below(len(named))
            named[at] = (dice.of(HEADERS), dice.of(VALUES))
        offset = offsets.get(topic, 0) + dice.below(3)
        offsets[topic] = offset + 1
        found.append(Record(
            topic, 0, offset, NOW_NS // 1_000_000 + n, dice.below(2), dice.of((key, key, key, None, *KEYS)),
            dice.of((value, value, value, value, None)), named,
        ))  # fmt: skip
    return found


async def through(world: Path, given: Sequence[Record]) -> list[str]:
    """Take records in as ingest does, derive what follows, run the audit, and return what is wrong.

    Whatever raises here is a batch that would be tried again for ever, or a flow that fails for ever.
    """
    with bounded("door", MOST_S, len(given)):
        consumer = _Consumer(given)
        partitions = [TopicPartition(topic.name, 0) for topic in TOPICS]
        source = Source(cast(AIOKafkaConsumer, consumer), partitions)
        source.seek({(topic.name, 0): 0 for topic in TOPICS})
        slices = await source.next(len(given), 0)
        tables = _tables(slices)
        with _open(world) as warehouse:
            writer.append(warehouse, tables)
            now = datetime.fromtimestamp(NOW_NS / 1e9, UTC).replace(tzinfo=None) + timedelta(minutes=3)
            cover(warehouse, now, GRID_S)
            rollup(warehouse)
            detect(warehouse, now - timedelta(hours=2), now, now)
            audit(warehouse, now - timedelta(hours=1), now)
    return _wrong(given, slices, tables)


def smallest(given: Sequence[Record], is_bad: Callable[[Sequence[Record]], bool]) -> Sequence[Record]:
    """Return a part of bad records that is bad still, and none of whose thirds can be left away."""
    size = max(1, len(given) // 3)
    while True:
        for at in range(0, len(given), size):
            if len(given) > 1 and is_bad(part := [*given[:at], *given[at + size :]]):
                given = part
                break
        else:
            if size == 1:
                return given
            size = max(1, size // 3)


def _tables(slices: Sequence[Slice]) -> dict[str, pl.DataFrame]:
    batch = Batch(GRID_S, {}, keep_all_frames=True, marks=Marks())
    batch.add(slices)
    batch.close_buckets()
    return batch.take().tables(Log("cluster", {}, "commit"), GRID_S)


@contextmanager
def _open(world: Path) -> Iterator[lake.Lake]:
    schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as warehouse:
        yield warehouse


def _wrong(given: Sequence[Record], slices: Sequence[Slice], tables: Mapping[str, pl.DataFrame]) -> list[str]:
    wrong = []
    taken = sum(len(each.frames) + len(each.malformed) for each in slices)
    committed = tables["ingest_commits"]["frames"].sum()
    if not len(given) == taken == committed:
        wrong.append(f"{len(given)} records given, {taken} taken, {committed} committed")
    payloads = {(each.topic, each.offset): each.value or b"" for each in given}
    columns = ("venue", "kafka_topic", "kafka_offset", "symbol", "order_side", "position_side")
    for venue, topic, offset, *row in tables["liquidations"].select(columns).iter_rows():
        if venue in ("binance", "bybit", "okx"):
            wrong += wrong_sides(venue, payloads[topic, offset], [(row[0], row[1], row[2])])
    return wrong


def _event(dice: Dice) -> bytes:
    value: dict[str, Any] = {
        "event": dice.of(EVENT_NAMES), "venue": dice.of(("binance", "bybit", "okx", "", "kraken-futures", "x" * 300)),
        "session": dice.of(("binance-um-18ec-0001", "okx-rest-18ec-0002", "", "-", "a-b", "kraken-futures-ws-18ec-0003")),
        "transport": dice.of(("ws", "rest", "x")), "ts_ns": NOW_NS + dice.below(1000) * 10**9,
        "frames": dice.below(100), "reason": dice.of(("", "why", None, "\0", "x" * 5000)),
        "detail": {"channels": dice.of(CHANNELS), "channel": dice.of(("x", 1, None)), "symbol": "*",
                   "since_ns": dice.of((NOW_NS, 0, -1, "x", None, 10**30, 1.5))},
    }  # fmt: skip
    if not dice.below(3):
        value[dice.of(EVENT_FIELDS)] = dice.of(ODD)
    if not dice.below(8):
        del value[dice.of(EVENT_FIELDS)]
    told = json.dumps(value).encode(errors="surrogatepass")
    deep = 0 if dice.below(8) else dice.of((900, 1100, 3000))
    return told[:-1] + b', "deep": ' + b'{"a":' * deep + b"1" + b"}" * (deep + 1) if deep else told
