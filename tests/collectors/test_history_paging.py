"""Paging over any past: every row is asked for and covered, whichever way a venue pages, however often it is stopped."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import NetworkError
from collectors.history.covered import Covered
from collectors.history.endpoint import DAY_MS, Asked, Endpoint, Order, Series
from collectors.history.paging import SETTLE_MS, Span, Step, after, asked

NOW = 1_790_000_000_000
STEP = 300_000


def _series(order: Order, limit: int = 5, **changes: object) -> Series:
    lengths = {"lengths": {"5m": "5m"}, "length_param": "period"} if order == "bars" else {}
    endpoint = Endpoint(
        "open-interest", "oi", "raw.open_interest", "http://127.0.0.1/oi", "um", lambda item: None, "startTime", "endTime",
        limit, "data", order,
    )._replace(**lengths, **changes)  # type: ignore[arg-type] # fmt: skip
    return Series(endpoint, Asked("BTCUSDT", (("symbol", "BTCUSDT"),)), "5m" if order == "bars" else "")


def _answer(
    order: Order, rows: list[int], span: Span, limit: int, newest_kept: bool, inclusive: bool, one_bound: bool
) -> list[int]:
    """Answer as a venue would: bounds sent are a millisecond wider, and taken in or left out; some venues have one alone."""
    first, last = span.first - 1, span.last + 1
    if one_bound:
        first, last = (
            (0, last) if order == "newest_first" else (first, NOW) if order == "oldest_first" else (first, last)
        )
    found = [row for row in rows if (first <= row <= last if inclusive else first < row < last)]
    newest = order == "newest_first" or (order in ("bars", "either") and newest_kept)
    return found[-limit:] if newest else found[:limit]


@given(
    st.sampled_from(["bars", "oldest_first", "newest_first", "either"]), st.sets(st.integers(0, 400), min_size=1),
    st.integers(2, 9), st.booleans(), st.booleans(), st.integers(0, 300), st.integers(0, 300), st.booleans(),
)  # fmt: skip
def test_every_row_is_found_once_asked_whichever_way_the_venue_pages(
    order: Order,
    minutes: set[int],
    limit: int,
    newest_kept: bool,
    inclusive: bool,
    start: int,
    length: int,
    one_bound: bool,
) -> None:
    old = NOW - 20 * DAY_MS
    old -= old % STEP
    if order == "bars":  # a venue gives every bar since the launch
        rows = list(range(old + min(minutes) * 60_000 // STEP * STEP, old + 40_000_000, STEP))
    else:
        rows = sorted(old + minute * 60_000 for minute in minutes)
    one, gap = _series(order, limit), Span(old + start * 60_000, old + (start + length) * 60_000)
    rest: Span | None = gap
    seen: set[int] = set()
    covered: list[Span] = []
    span = asked(one, rest)
    while rest and span:
        times = _answer(order, rows, span, limit, newest_kept, inclusive, one_bound)
        step = after(one, rest, span, times, NOW)
        if step.narrower:
            assert step.covered is None
            span = step.narrower
            continue
        assert step.covered is not None
        seen |= {time for time in times if gap.first <= time <= gap.last}
        covered.append(step.covered)
        rest = step.rest
        span = asked(one, rest) if rest else None
    assert seen == {row for row in rows if gap.first <= row <= gap.last}
    assert {row for row in seen if not any(span.first <= row <= span.last for span in covered)} == set()


def test_bounds_are_sent_as_the_venue_wants_them_and_one_it_does_not_have_is_not_sent() -> None:
    span = Span(NOW, NOW + 1500)
    sent = dict(_series("newest_first", clock="s").params(*span))
    assert (sent["startTime"], sent["endTime"]) == (str(NOW // 1000 - 1), str(NOW // 1000 + 2))
    sent = dict(_series("newest_first", clock="iso", since="").params(*span))
    assert sent == {"symbol": "BTCUSDT", "endTime": "2026-09-21T14:13:21.501Z", "limit": "5"}


def test_a_symbol_and_a_length_can_be_part_of_the_address() -> None:
    one = _series("bars", url="http://127.0.0.1/{length}/{}/hist")._replace(asked=Asked("tBTCF0:USTF0,X", ()))
    assert one.url == "http://127.0.0.1/5m/tBTCF0:USTF0%2CX/hist"


def test_a_request_of_bars_never_asks_for_more_than_an_answer_holds() -> None:
    one = _series("bars", limit=500)
    span = asked(one, Span(NOW - 30 * DAY_MS, NOW))
    assert span is not None
    assert (span.last - span.first) // STEP + 1 == 499
    assert asked(_series("bars", longest_days=1), Span(NOW - 30 * DAY_MS, NOW)) is not None


def test_what_is_young_is_covered_only_up_to_the_newest_row() -> None:
    one, gap = _series("bars", limit=50), Span(NOW - 2 * SETTLE_MS, NOW)
    span = asked(one, gap)
    assert span is not None
    late = after(one, gap, span, [NOW - SETTLE_MS // 2], NOW).covered
    none = after(one, gap, span, [], NOW).covered
    assert late is not None
    assert none is not None
    assert (late.last, none.last) == (NOW - SETTLE_MS // 2, NOW - SETTLE_MS)


def test_an_old_empty_answer_says_that_there_is_nothing_older() -> None:
    one, gap = _series("bars"), Span(NOW - 900 * DAY_MS, NOW - 3 * DAY_MS)
    span = asked(one, gap)
    assert span is not None
    assert after(one, gap, span, [], NOW) == Step(gap, None, at_its_end=True)


def test_an_old_empty_answer_of_a_venue_that_leaves_out_quiet_bars_says_nothing_of_what_is_older() -> None:
    one, gap = _series("bars", sparse=True), Span(NOW - 900 * DAY_MS, NOW - 3 * DAY_MS)
    span = asked(one, gap)
    assert span is not None
    assert after(one, gap, span, [], NOW) == Step(Span(span.first, gap.last), Span(gap.first, span.first - 1))


def test_a_full_answer_of_rows_that_were_not_asked_for_is_an_error() -> None:
    one, gap = _series("newest_first"), Span(NOW - 9 * DAY_MS, NOW - 3 * DAY_MS)
    with pytest.raises(NetworkError, match="no row from the time that was requested"):
        after(one, gap, gap, [NOW - n for n in range(5)], NOW)


def test_more_rows_at_one_instant_than_an_answer_has_are_an_error_and_not_asked_for_for_ever() -> None:
    one, gap = _series("either"), Span(NOW - DAY_MS, NOW)
    step = after(one, gap, gap, [NOW] * 5, NOW)
    while step.narrower:
        span = step.narrower
        if span.first == span.last:
            break
        step = after(one, gap, span, [NOW] * 5, NOW)
    with pytest.raises(NetworkError, match="more rows at one instant"):
        after(one, gap, span, [NOW] * 5, NOW)


def test_an_answer_of_another_form_is_an_error_that_names_the_series() -> None:
    with pytest.raises(NetworkError, match=r"oi@5m\|BTCUSDT: the answer is not a history"):
        _series("bars").times(b'{"code":-1}')


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=12), st.integers(0, 60), st.integers(0, 60))
def test_gaps_are_exactly_what_no_span_covers(tmp_path_factory: pytest.TempPathFactory, added: list[tuple[int, int]],
                                              first: int, length: int) -> None:  # fmt: skip
    covered = Covered(tmp_path_factory.mktemp("covered") / "venue.json", "c")
    covered.add(("s", Span(start, start + width)) for start, width in added)
    known = {n for start, width in added for n in range(start, start + width + 1)}
    wanted = Span(first, first + length)
    gaps = {n for gap in covered.gaps("s", wanted) for n in range(gap.first, gap.last + 1)}
    assert gaps == set(range(wanted.first, wanted.last + 1)) - known


def test_what_was_noted_is_known_to_the_next_run_on_the_same_kafka_only(tmp_path: Path) -> None:
    path, wanted = tmp_path / "backfill" / "okx.json", Span(0, 100)
    Covered(path, "cluster").add([("s", Span(0, 40)), ("s", Span(41, 60))])
    assert Covered(path, "cluster").gaps("s", wanted) == [Span(61, 100)]
    assert Covered(path, "another").gaps("s", wanted) == [wanted]
    path.write_bytes(b"{cut")
    assert Covered(path, "cluster").gaps("s", wanted) == [wanted]
