"""Records of Kafka to slices: every offset covered, whatever a record holds, never past a place that is not in the log."""

from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import LeaderNotAvailableError, NoOffsetForPartitionError, OffsetOutOfRangeError

from collectors.envelope import RawFrame, to_record
from collectors.errors import NetworkError
from collectors.topics import LIQUIDATION
from pipelines.errors import LogChangedError
from pipelines.ingest import incarnation
from pipelines.ingest.consume import LOG_APPEND_TIME, Malformed, Slice, Source, _named, _other, source
from pipelines.ingest.incarnation import Standing

AT = TopicPartition(LIQUIDATION, 2)
NOW_MS = 1_790_000_000_000


def record(offset: int, timestamp_type: int = LOG_APPEND_TIME, bad: bool = False) -> Any:
    """Return a record as aiokafka hands it out; a bad one has no headers."""
    frame = RawFrame("bybit", "c", "*", "ws", NOW_MS * 10**6, "bybit-a", "a", "live", offset, b"x", LIQUIDATION)
    key, value, headers = to_record(frame, NOW_MS * 10**6)
    return ConsumerRecord(
        LIQUIDATION, 2, offset, NOW_MS + 5, timestamp_type, key, value, None, 0, 0, () if bad else tuple(headers)
    )


class Consumer:
    """Hands out what a test puts into it; remembers what was asked of it."""

    def __init__(self) -> None:
        self.found: dict[TopicPartition, list[Any]] = {}
        self.error: Exception | None = None
        self.assigned: list[TopicPartition] = []
        self.sought: dict[TopicPartition, int] = {}
        self.asked: list[tuple[TopicPartition, ...]] = []

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = list(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought[partition] = offset

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int, max_records: int) -> dict[Any, list[Any]]:
        self.asked.append(partitions)
        if self.error is not None:
            raise self.error
        return {at: records[:max_records] for at, records in self.found.items()}

    _client = None

    def highwater(self, partition: TopicPartition) -> int | None:
        return 9 if partition == AT else None


@pytest.fixture
def consumer() -> Any:
    return Consumer()


async def test_a_slice_covers_every_offset_from_where_the_last_one_ended(consumer: Any) -> None:
    source = Source(consumer, [AT])
    source.seek({(LIQUIDATION, 2): 3})
    assert (consumer.assigned, consumer.sought) == ([AT], {AT: 3})
    consumer.found = {AT: [record(4), record(6)], TopicPartition("raw.ticker", 0): []}
    (first,) = await source.next(10, 0)
    consumer.found = {AT: [record(7)]}
    (second,) = await source.next(10, 0, of=[(LIQUIDATION, 2)])
    assert [(each.start, each.next, each.records) for each in (first, second)] == [(3, 7, 2), (7, 8, 1)]
    assert consumer.asked == [(), (AT,)]
    assert source.position() == {(LIQUIDATION, 2): 8}
    assert source.known_ends() == {(LIQUIDATION, 2): 9}


async def test_a_record_that_is_no_raw_record_is_kept_with_its_place_and_reason(consumer: Any) -> None:
    source = Source(consumer, [AT])
    source.seek({(LIQUIDATION, 2): 0})
    consumer.found = {AT: [record(0), record(1, bad=True)]}
    (found,) = await source.next(10, 0)
    (bad,) = found.malformed
    assert (found.next, found.records, [frame.offset for frame in found.frames]) == (2, 2, [0])
    assert (bad.frame.offset, bad.frame.partition, bad.frame.topic, bad.frame.payload) == (1, 2, LIQUIDATION, b"x")
    assert (bad.frame.appended_ms, bad.frame.arrived_ns) == (NOW_MS + 5, (NOW_MS + 5) * 10**6)
    assert bad.frame.recv_ns == (NOW_MS + 5) * 10**6
    assert bad.reason
    assert found.last == bad.frame


async def test_a_time_that_the_sender_wrote_is_not_taken_for_the_brokers(consumer: Any) -> None:
    source = Source(consumer, [AT])
    source.seek({(LIQUIDATION, 2): 0})
    consumer.found = {AT: [record(0), record(1, timestamp_type=0)]}
    (found,) = await source.next(10, 0)
    assert [frame.appended_ms for frame in found.frames] == [NOW_MS + 5, 0]


@pytest.mark.parametrize("error", [OffsetOutOfRangeError({AT: 3}), NoOffsetForPartitionError(AT)])
async def test_a_place_that_the_log_does_not_have_is_a_changed_log_and_nothing_is_skipped(
    consumer: Any, error: Exception
) -> None:
    source = Source(consumer, [AT])
    source.seek({(LIQUIDATION, 2): 3})
    consumer.error = error
    with pytest.raises(LogChangedError, match="does not have these offsets"):
        await source.next(10, 0)
    assert (source.position(), consumer.sought) == ({(LIQUIDATION, 2): 3}, {AT: 3})
    assert await source.record_at((LIQUIDATION, 2), 5) is None


async def test_one_record_is_looked_at_where_it_lies(consumer: Any) -> None:
    source = Source(consumer, [AT])
    consumer.found = {AT: [record(6), record(7)]}
    found = await source.record_at((LIQUIDATION, 2), 5)
    assert found is not None
    assert (found.offset, consumer.assigned, consumer.sought) == (6, [AT], {AT: 5})
    consumer.found = {}
    assert await source.record_at((LIQUIDATION, 2), 7) is None


async def test_a_topic_that_is_gone_or_another_is_a_changed_log_and_one_without_a_leader_is_waited_for(
    consumer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, other = (LIQUIDATION, 2), (LIQUIDATION, 3)
    known = {at: Standing("id", 4, 0), other: Standing("id", 4, 1)}

    async def standings(client: object, topics: set[str]) -> dict[Any, Standing]:
        assert topics == {LIQUIDATION}
        return dict(known)

    monkeypatch.setattr(incarnation, "standings", standings)
    source = Source(consumer, [AT, TopicPartition(*other)])
    with pytest.raises(LogChangedError, match="was created again, or has another leader"):
        await source.verify()  # nothing was asked before
    assert await source.standings() == known
    await source.verify()
    before = known.pop(other)
    with pytest.raises(LeaderNotAvailableError, match=r"raw.liquidation\[3\]: no broker leads it"):
        await source.verify()
    known[other] = before._replace(epoch=5)
    with pytest.raises(
        LogChangedError, match=r"raw.liquidation\[3\]: the topic was created again, or has another leader"
    ):
        await source.verify()
    known.clear()
    with pytest.raises(LogChangedError, match="the topic does not exist any more"):
        await source.verify()


def test_the_last_record_of_a_slice_is_the_one_with_the_highest_offset() -> None:
    def frame(offset: int) -> RawFrame:
        return RawFrame("bybit", "c", "*", "ws", 1, "a", "a", "live", offset, b"", LIQUIDATION, 2, offset)

    at = (LIQUIDATION, 2)
    assert Slice(at, 0, 0, [], []).last is None
    assert Slice(at, 0, 3, [frame(0), frame(2)], [Malformed(frame(1), "")]).last == frame(2)
    assert Slice(at, 0, 3, [frame(0), frame(1)], [Malformed(frame(2), "")]).last == frame(2)
    left_out = Slice(at, 0, 9, [frame(0)], [Malformed(frame(1), "")], again=7, tail=frame(8))
    assert (left_out.last, left_out.records) == (frame(8), 9)


def test_another_topic_or_leader_may_be_another_log() -> None:
    assert not _other(Standing("id", 4, 0), Standing("id", 4, 1)), "where it lies says nothing"
    assert _other(Standing("id", 4, 0), Standing("di", 4, 0))
    assert _other(Standing("id", 4, 0), Standing("id", 5, 0))
    assert _other(None, Standing("id", 4, 0))
    assert _named({("b", 1): 0, ("a", 2): 0}.keys()) == "a[2], b[1]"


async def test_a_kafka_that_cannot_be_reached_is_named_with_its_address(unused_tcp_port: int) -> None:
    with pytest.raises(NetworkError, match=f"Kafka at 127.0.0.1:{unused_tcp_port} cannot be reached"):
        async with source({"bootstrap_servers": f"127.0.0.1:{unused_tcp_port}"}):
            raise AssertionError("it was reached")
