"""Where ingest goes on in a log that may have been made anew, cut or emptied since: nothing skipped, and every change told."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from aiokafka.errors import LeaderNotAvailableError

from collectors.envelope import RawFrame
from collectors.topics import LIQUIDATION
from pipelines.ingest import whence as module
from pipelines.ingest.commits import Span, identity
from pipelines.ingest.incarnation import Partition, Standing
from pipelines.ingest.whence import ANEW, LOST_TAIL, OVERTAKEN, Committed, Whence, begun, told, whence

AT: Partition = (LIQUIDATION, 0)
START_MS = 1_790_000_000_000


def record(offset: int, seq: int, at_ms: int = START_MS) -> RawFrame:
    return RawFrame(
        "bybit", "allLiquidation", "*", "ws", 1, "bybit-a", "a", "live", seq, b"", LIQUIDATION, 0, offset, 1, at_ms + seq,
    )  # fmt: skip


class Logs:
    """One partition: the sequence numbers of its records, the first at `start`."""

    def __init__(self, topic_id: str, *seqs: int, start: int = 0) -> None:
        self.topic_id = topic_id
        self.start = start
        self.seqs = seqs
        self.looked = 0

    async def standings(self) -> dict[Partition, Standing]:
        return {AT: Standing(self.topic_id, 0, 1)}

    async def starts(self) -> dict[Partition, int]:
        return {AT: self.start}

    async def ends(self) -> dict[Partition, int]:
        return {AT: self.start + len(self.seqs)}

    async def record_at(self, at: Partition, offset: int) -> RawFrame | None:
        assert at == AT
        self.looked += 1
        n = offset - self.start
        return record(offset, self.seqs[n]) if 0 <= n < len(self.seqs) else None


def committed(offset: int, incarnation: str | None, seq: int | None) -> Committed:
    last = None if seq is None else identity(record(offset - 1, seq))
    return Committed(offset, incarnation, last, 1_790_000_000_000)


async def go_on(logs: Any, *known: Committed, earlier: Sequence[tuple[int, int]] = ()) -> Whence:
    """`earlier`: offset to go on from and number of the last record before it, of each commit, latest first."""

    async def commits(at: Partition, incarnation: str) -> list[tuple[int, str]]:
        return [(offset, identity(record(offset - 1, seq)) or "") for offset, seq in earlier]

    return await whence(logs, {AT: known} if known else {}, commits)


async def test_a_log_as_it_was_left_is_read_on() -> None:
    found = await go_on(Logs("a", 1, 2, 3, 4, 5), committed(3, "a/0", 3))
    assert (found.offsets[AT], found.incarnations[AT], found.changes) == (3, "a/0", [])


async def test_a_partition_never_read_is_read_from_its_first_record() -> None:
    found = await go_on(Logs("a", 1, 2, start=7))
    assert (found.offsets[AT], found.incarnations[AT], found.changes) == (7, "a/0", [])


@pytest.mark.parametrize("records", [2, 300])
async def test_a_topic_made_anew_is_read_from_its_first_record_however_long_it_is(records: int) -> None:
    found = await go_on(Logs("b", *range(500, 500 + records)), committed(3, "a/0", 3))
    assert (found.offsets[AT], found.incarnations[AT]) == (0, "b/0")
    assert [(each.reason, each.committed, each.resumed) for each in found.changes] == [(ANEW, 3, 0)]


async def test_what_retention_took_before_it_was_read_is_told() -> None:
    found = await go_on(Logs("a", 8, 9, start=7), committed(3, "a/0", 3))
    assert (found.offsets[AT], found.incarnations[AT]) == (7, "a/0")
    assert [(each.reason, each.lost) for each in found.changes] == [(OVERTAKEN, 4)]
    row = told(found).row(0, named=True)
    assert (row["event"], row["kafka_topic"], row["kafka_offset"]) == ("log_changed", LIQUIDATION, 7)
    assert "by 4 records, which were never read" in row["reason"]
    detail = json.loads(row["detail"])
    assert (detail["lost"], detail["since_ns"], detail["until_ns"]) == (
        4,
        1_790_000_000_000 * 10**6,
        (1_790_000_000_008) * 10**6,
    )


async def test_a_log_that_lost_its_tail_is_read_on_from_the_last_commit_it_still_has() -> None:
    found = await go_on(
        Logs("a", *range(1, 58)), committed(100, "a/0", 100), earlier=[(offset, offset) for offset in range(100, 0, -1)]
    )
    assert (found.offsets[AT], found.incarnations[AT]) == (57, "a/1")
    assert [(each.reason, each.committed, each.resumed, each.lost) for each in found.changes] == [
        (LOST_TAIL, 100, 57, None)
    ]


async def test_a_tail_lost_and_grown_over_is_seen_by_the_record_and_not_by_the_offsets() -> None:
    logs = Logs("a", *range(1, 58), *range(901, 1000))
    found = await go_on(logs, committed(100, "a/0", 100), earlier=[(offset, offset) for offset in range(100, 0, -1)])
    assert (found.offsets[AT], found.incarnations[AT]) == (57, "a/1")
    assert logs.looked < 40, "found by halves, not one by one"


@pytest.mark.parametrize("every", [1, 7, 40])
@pytest.mark.parametrize("grown", [0, 100])
async def test_however_much_of_its_tail_a_log_lost_the_last_commit_it_still_has_is_found(
    every: int, grown: int
) -> None:
    commits = [(offset, offset) for offset in range(100, 0, -every)]
    for left in range(101):
        logs = Logs("a", *range(1, left + 1), *range(901, 901 + grown))
        found = await go_on(logs, committed(100, "a/0", 100), earlier=commits)
        assert found.offsets[AT] == max((offset for offset, _ in commits if offset <= left), default=0), left


async def test_of_a_lost_tail_nothing_may_be_known_until_the_first_record_that_came_after_the_last_commit() -> None:
    """The records from where it goes on to there are known, as they were committed or are read again."""
    logs = Logs("a", *range(1, 58), *range(901, 1000))
    found = await go_on(logs, committed(100, "a/0", 100)._replace(appended_ms=START_MS + 100), earlier=[(30, 30)])
    (change,) = found.changes
    assert (change.resumed, change.since_ns, change.until_ns) == (
        30,
        (START_MS + 100) * 10**6,
        (START_MS + 901) * 10**6,
    )
    assert change.before == record(29, 30), "by which the next start sees whether it was cut again"


async def test_what_retention_took_up_to_the_last_commit_alone_is_no_change() -> None:
    found = await go_on(Logs("a", 4, 5, start=3), committed(3, "a/0", 3))
    assert (found.offsets[AT], found.changes) == (3, [])


async def test_of_a_log_without_append_times_the_first_record_is_looked_at_and_not_all_of_them() -> None:
    class Untimed(Logs):
        async def record_at(self, at: Partition, offset: int) -> RawFrame | None:
            found = await super().record_at(at, offset)
            return found and msgspec.structs.replace(found, appended_ms=0)

    logs = Untimed("b", *range(500, 900))
    found = await go_on(logs, committed(3, "a/0", 3))
    assert [each.reason for each in found.changes] == [ANEW]
    assert logs.looked < 5


async def test_a_broker_that_has_just_started_is_asked_until_it_knows_its_leaders() -> None:
    class Starting(Logs):
        asked = 0

        async def standings(self) -> dict[Partition, Standing]:
            self.asked += 1
            if self.asked < 3:
                raise LeaderNotAvailableError("not yet")
            return await super().standings()

    found = await go_on(Starting("a", 1, 2, 3), committed(2, "a/0", 2))
    assert found.offsets[AT] == 2


async def test_a_kafka_that_does_not_answer_in_time_is_an_error_and_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Away(Logs):
        async def standings(self) -> dict[Partition, Standing]:
            if self.looked:
                raise AssertionError("asked again")
            self.looked += 1
            raise LeaderNotAvailableError("not yet")

    monkeypatch.setattr(module, "PATIENCE_S", -1.0)
    with pytest.raises(LeaderNotAvailableError):
        await go_on(Away("a", 1))


async def test_the_span_of_a_change_has_no_records_and_the_record_before_it() -> None:
    found = await go_on(Logs("a", *range(1, 58)), committed(100, "a/0", 100), earlier=[(40, 40)])
    assert begun(found) == {AT: Span(40, 40, 0, record(39, 40))}


async def test_of_commits_before_and_after_logs_were_named_the_later_ones_count() -> None:
    both = committed(3, None, None), committed(2, "a/0", 902)
    for known in (both, both[::-1]):
        found = await go_on(Logs("a", 901, 902, 903, 904), *known)
        assert (found.offsets[AT], found.incarnations[AT], found.changes) == (2, "a/0", [])


async def test_where_no_commit_is_left_in_the_log_all_of_it_is_read_again() -> None:
    found = await go_on(Logs("a", 901, 902), committed(100, "a/0", 100), earlier=[(100, 100), (50, 50)])
    assert found.offsets[AT] == 0


async def test_after_a_lost_tail_the_commits_since_then_count() -> None:
    both = committed(100, "a/0", 100), committed(60, "a/1", 903)
    found = await go_on(Logs("a", *range(1, 58), 901, 902, 903, 904), *reversed(both))
    assert (found.offsets[AT], found.incarnations[AT], found.changes) == (60, "a/1", [])


async def test_commits_from_before_logs_were_named_are_gone_on_from_while_the_log_reaches_so_far() -> None:
    found = await go_on(Logs("a", 1, 2, 3, 4), committed(3, None, None))
    assert (found.offsets[AT], found.incarnations[AT], found.changes) == (3, "a/0", [])
    found = await go_on(Logs("a", 1, 2), committed(3, None, None))
    assert (found.offsets[AT], found.incarnations[AT], [each.reason for each in found.changes]) == (
        0,
        "a/1",
        [LOST_TAIL],
    )


async def test_where_the_broker_names_no_topics_the_record_alone_decides() -> None:
    found = await go_on(Logs("", 1, 2, 3, 4), committed(3, "/0", 3))
    assert (found.offsets[AT], found.changes) == (3, [])
    found = await go_on(Logs("", 901, 902, 903, 904), committed(3, "/0", 3), earlier=[(3, 3)])
    assert (found.offsets[AT], [each.reason for each in found.changes]) == (0, [LOST_TAIL])
