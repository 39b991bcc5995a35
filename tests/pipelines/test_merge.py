"""Partitions are merged by the broker's clock: a record waits until all that was taken before it has been read."""

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from collectors.topics import LIQUIDATION, REFERENCE, TICKER
from pipelines.ingest.consume import Malformed, Slice
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.merge import AHEAD_BYTES, AHEAD_RECORDS, Merge, turn_ms

A, B, C = (LIQUIDATION, 0), (TICKER, 1), (REFERENCE, 0)


def records(at: Partition, start: int, *appended_ms: int) -> Slice:
    frames = [
        RawFrame("okx", "c", "*", "ws", 1, "s", "a", "live", start + n, b"x", at[0], at[1], start + n, 1, ms)
        for n, ms in enumerate(appended_ms)
    ]
    return Slice(at, start, start + len(frames), frames, [])


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def out(merge: Merge) -> list[tuple[str, int]]:
    return [(found.partition[0], frame.appended_ms) for found in merge.release() for frame in found.frames]


def test_nothing_is_handed_out_before_the_others_have_been_read_as_far() -> None:
    merge = Merge({A: 0, B: 0})
    merge.add([records(A, 0, 10, 20, 30)])
    assert out(merge) == []
    merge.add([records(B, 0, 20)])
    assert out(merge) == [(LIQUIDATION, 10)], "there may be more of 20"
    merge.add([records(B, 1, 25)])
    assert out(merge) == [(LIQUIDATION, 20), (TICKER, 20)]


def test_a_partition_read_to_its_end_is_waited_for_until_the_broker_was_asked_again() -> None:
    clock = Clock()
    merge = Merge({A: 0, B: 5}, clock)
    merge.add([records(A, 0, 10, 20)])
    merge.ended({A: 2, B: 5}, merge.broker_ms())
    assert out(merge) == [(LIQUIDATION, 10)], "in the millisecond of the last record there may be more"
    clock.now_s += 0.001
    merge.ended({A: 2, B: 5}, merge.broker_ms())
    assert out(merge) == [(LIQUIDATION, 20)]
    assert merge.released({A: 2, B: 5})


def test_what_lies_before_an_end_and_was_not_read_is_waited_for() -> None:
    clock = Clock()
    merge = Merge({A: 0, B: 5}, clock)
    merge.add([records(A, 0, 10)])
    clock.now_s += 1
    merge.ended({A: 1, B: 7}, merge.broker_ms())
    assert (out(merge), merge.unread({A: 1, B: 7})) == ([], 2)
    merge.add([records(B, 5, 8, 9)])
    assert out(merge) == [(LIQUIDATION, 10), (TICKER, 8), (TICKER, 9)]


def test_a_broker_whose_clock_was_set_back_holds_nothing_up() -> None:
    clock = Clock()
    merge = Merge({A: 0}, clock)
    merge.add([records(A, 0, 5_000_000, 100, 200)])
    clock.now_s += 0.001
    merge.ended({A: 3}, merge.broker_ms())
    assert out(merge) == [(LIQUIDATION, 5_000_000), (LIQUIDATION, 100), (LIQUIDATION, 200)]


def test_of_a_partition_far_ahead_no_more_is_read_but_of_the_one_that_is_waited_for() -> None:
    merge = Merge({A: 0, B: 0})
    merge.add([records(A, 0, *[50] * AHEAD_RECORDS)])
    assert list(merge.wanted()) == [B]
    merge.add([records(B, 0, *[40] * AHEAD_RECORDS)])
    assert list(merge.wanted()) == [B]


def test_of_what_is_due_only_so_many_records_are_handed_out_the_earliest_first() -> None:
    merge = Merge({A: 0, B: 0})
    merge.add([records(A, 0, 10, 20, 20, 40), records(B, 0, 5, 20, 30)])
    assert merge.release(0) == []
    assert (merge.is_due, merge.released_ms) == (True, 0)
    given = [[(found.partition[0], len(found.frames)) for found in merge.release(2)], merge.released_ms]
    assert given == [[(LIQUIDATION, 1), (TICKER, 1)], 11]
    given = [[(found.partition[0], len(found.frames)) for found in merge.release(1)], merge.released_ms]
    assert given == [[(LIQUIDATION, 2), (TICKER, 1)], 21], "those of one turn stay together"
    assert (merge.release(100), merge.is_due, merge.released_ms) == ([], False, 30)


def test_of_a_partition_whose_waiting_frames_are_large_no_more_is_read_until_some_are_handed_out() -> None:
    merge = Merge({A: 0, B: 0})
    found = records(A, 0, 50, 60)
    large = [msgspec.structs.replace(frame, payload=b"x" * (AHEAD_BYTES // 2)) for frame in found.frames]
    merge.add([found._replace(frames=large)])
    assert (list(merge.wanted()), merge.bytes) == ([B], AHEAD_BYTES)
    merge.add([records(B, 0, 55)])
    assert out(merge) == [(LIQUIDATION, 50)]
    assert (sorted(merge.wanted()), merge.bytes) == (sorted([A, B]), AHEAD_BYTES // 2 + 1)


def test_the_broker_has_no_time_before_the_first_record() -> None:
    clock = Clock()
    merge = Merge({A: 0}, clock)
    clock.now_s += 5
    assert merge.broker_ms() == 0
    merge.add([records(A, 0, 1_000_000)])
    clock.now_s += 1
    assert merge.broker_ms() == 1_001_000


def test_a_record_of_a_topic_without_append_times_has_its_turn_when_it_arrived() -> None:
    (frame,) = records(A, 0, 0).frames
    late = msgspec.structs.replace(frame, arrived_ns=7_999_999)
    assert turn_ms(late) == 7
    merge = Merge({A: 0, B: 0})
    merge.add([Slice(A, 0, 1, [late], []), records(B, 0, 7)])
    assert out(merge) == [], "there may be more of 7"
    merge.add([records(B, 1, 8), Slice(A, 1, 2, [msgspec.structs.replace(late, offset=1, arrived_ns=8_000_000)], [])])
    assert out(merge) == [(LIQUIDATION, 0), (TICKER, 7)]


def test_a_slice_is_cut_with_its_malformed_records() -> None:
    merge = Merge({A: 0, B: 0})
    bad = RawFrame("", "?", "", "ws", 1, "", "a", "live", 0, b"", LIQUIDATION, 0, 1, 1, 20)
    found = records(A, 0, 10)
    found = found._replace(next=3, frames=[*found.frames, *records(A, 2, 30).frames], malformed=[Malformed(bad, "why")])
    merge.add([found, records(B, 0, 25)])
    (first,) = [each for each in merge.release() if each.partition == A]
    assert (first.start, first.next, len(first.frames), len(first.malformed)) == (0, 2, 1, 1)
    assert first.last == bad


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_however_partitions_are_read_records_come_out_in_turn_and_whole(seed: int) -> None:
    rng, clock = random.Random(seed), Clock()
    logs: dict[Partition, Slice] = {
        at: records(at, 0, *sorted(rng.choices(range(1, 30), k=rng.randrange(12)))) for at in (A, B, C)
    }
    ends = {at: log.next for at, log in logs.items()}
    done = dict.fromkeys(logs, 0)
    merge, seen = Merge(done, clock), list[RawFrame]()
    while not merge.released(ends):
        for at in rng.sample(list(logs), 3):
            end = min(done[at] + rng.randrange(6), ends[at])
            if end > done[at]:
                merge.add([Slice(at, done[at], end, logs[at].frames[done[at] : end], [])])
                done[at] = end
        clock.now_s += 0.001
        merge.ended(ends, merge.broker_ms())
        turn = [frame for found in merge.release(rng.choice([None, 0, 1, 5])) for frame in found.frames]
        if turn and seen:
            assert min(frame.appended_ms for frame in turn) >= max(frame.appended_ms for frame in seen)
        seen += turn
    assert sorted(seen, key=repr) == sorted((frame for log in logs.values() for frame in log.frames), key=repr)
