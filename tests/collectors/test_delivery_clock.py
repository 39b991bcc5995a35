"""The offset of our clock against Kafka's: by the quickest answers, void when a clock is set, told over a second."""

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.delivery.clock import MS, WRONG_NS, Offset

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND


def _send(offset: Offset, at: int, lead: int, there: int = 5 * MS, back: int = 5 * MS) -> bool:
    """Send a batch at `at` of Kafka's clock, with our clock `lead` ahead and so long on its way there and back."""
    return offset.saw(at + lead, (at + there) // MS, at + lead + there + back, at)


@settings(deadline=None)
@given(
    st.integers(-(10**13), 10**13),
    st.lists(st.tuples(st.integers(0, 10**10), st.integers(0, 10**10)), min_size=1, max_size=50),
)
def test_queueing_never_moves_the_offset_out_of_what_is_possible(lead: int, ways: list[tuple[int, int]]) -> None:
    offset = Offset()
    for number, (there, back) in enumerate(ways):
        _send(offset, START + number * 100 * MS, lead, there, back)
    assert offset.ns is not None
    assert abs(offset.ns - lead) <= min(there for there, _ in ways) + min(back for _, back in ways) + 2 * MS


def test_two_hours_ahead_is_wrong_and_setting_the_clock_makes_it_right() -> None:
    offset = Offset()
    assert offset.ns is None
    assert _send(offset, START, 7200 * SECOND)
    assert offset.is_wrong
    assert abs((offset.ns or 0) - 7200 * SECOND) < 10 * MS
    assert not _send(offset, START + SECOND, 7200 * SECOND)
    assert _send(offset, START + 2 * SECOND, 0)
    assert not offset.is_wrong
    assert abs(offset.ns or 0) < 10 * MS


def test_a_clock_behind_is_wrong_too() -> None:
    offset = Offset()
    assert _send(offset, START, -3 * SECOND)
    assert abs((offset.ns or 0) + 3 * SECOND) < 10 * MS


def test_a_batch_that_waited_a_minute_is_no_wrong_clock() -> None:
    offset = Offset()
    assert not _send(offset, START, 0, there=60 * SECOND, back=60 * SECOND)
    assert not offset.is_wrong


def test_a_clock_that_drifts_away_is_noticed() -> None:
    offset = Offset()
    told = [_send(offset, START + second * SECOND, second * SECOND // 100) for second in range(300)]
    assert told.count(True) == 1
    assert WRONG_NS <= told.index(True) * SECOND // 100 <= WRONG_NS + SECOND
