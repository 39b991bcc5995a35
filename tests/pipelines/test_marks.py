"""A frame is stored once, however often it reaches Kafka."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from collectors.topics import LIQUIDATION, TICKER
from pipelines.ingest import marks as module
from pipelines.ingest.marks import Marks


def frame(seq: int, session: str = "a", offset: int = 0) -> RawFrame:
    return RawFrame("bybit", "tickers", "*", "ws", 1, session, "a", "live", seq, b"", TICKER, 0, offset)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), max_size=30), st.sets(st.integers(1, 29)))
def test_each_number_of_a_session_is_new_once_and_only_if_it_is_above_those_before(
    sent: list[tuple[str, int]], cuts: set[int]
) -> None:
    frames = [frame(seq, session, offset) for offset, (session, seq) in enumerate(sent)]
    marks, new, again = Marks({("a", TICKER, 0): 2}), list[int](), list[int]()
    ends = [0, *sorted(cut for cut in cuts if cut < len(frames)), len(frames)]
    for start, end in pairwise(ends):
        fresh, repeated = marks.fresh(frames[start:end])
        new += [each.offset for each in fresh]
        again += [each.offset for each in repeated]
    highest = {"a": 2, "b": -1}
    expected = []
    for offset, (session, seq) in enumerate(sent):
        if seq > highest[session]:
            highest[session] = seq
            expected.append(offset)
    assert new == expected
    assert sorted(new + again) == list(range(len(frames)))


def test_a_number_counts_in_its_own_topic_and_partition() -> None:
    marks = Marks({("a", LIQUIDATION, 0): 9, ("a", TICKER, 1): 9})
    assert marks.fresh([frame(3)]) == ([frame(3)], [])


def test_sessions_not_heard_for_longest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    marks = Marks()
    for seq, session in enumerate("abac"):
        marks.fresh([frame(seq, session)])
    assert {session for session, _, _ in marks._highest} == {"a", "c"}
