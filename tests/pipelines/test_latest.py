"""A run of state frames read for its last values gives the last rows that its frames give one by one."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, MarkPrice, Nothing, OpenInterest
from pipelines.ingest.grid import STATE
from pipelines.reading.latest import parse_latest
from pipelines.reading.parse import Parsed, parse_frames
from pipelines.venues.bybit import latest as bybit_latest

NOW_MS = 1_790_000_000_000
UNHURRIED = settings(
    deadline=None, max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
NUMBERS = ("1", "0.5", "2.25", "100")
ODD = ("", "0", "-1", "nan", "abc", "1_0", " 3", None, 7, "9e307", "1e12", "1e13", "1e-300", "1e999")
MARKED = [*("BTCUSDT", "ETHUSDT", "BTCUSD_PERP") * 4, "", "A\nB", "A" * 200]
FIELDS = (
    "fundingRate",
    "nextFundingTime",
    "fundingIntervalHour",
    "openInterest",
    "openInterestValue",
    "markPrice",
    "indexPrice",
)

numbers = st.one_of(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS), st.sampled_from(NUMBERS), st.sampled_from(ODD))
times = st.one_of(st.just(NOW_MS), st.just(NOW_MS), st.sampled_from([0, NOW_MS // 1000, NOW_MS + 10**9]))


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read even two tickers by column."""
    monkeypatch.setattr(bybit_latest, "FEWEST", 2)


@st.composite
def ticker(draw: st.DrawFn) -> bytes:
    symbol = draw(st.sampled_from([*("BTCUSDT", "BTCUSD", "ETHUSDT") * 4, "", "A\x00B", "A" * 200]))
    names = draw(st.lists(st.sampled_from(FIELDS), unique=True))
    data = {"symbol": symbol} | {name: str(NOW_MS) if name == "nextFundingTime" else draw(numbers) for name in names}
    message = {"topic": f"tickers.{symbol}", "type": draw(st.sampled_from(["snapshot", "delta", "delta", "delta"])),
               "data": data, "cs": draw(st.integers(1, 5)), "ts": draw(times)}  # fmt: skip
    text = json.dumps(message).encode()
    return text if draw(st.integers(0, 15)) else text[:-3]


@st.composite
def marks(draw: st.DrawFn) -> bytes:
    items = [
        {"E": draw(times), "s": draw(st.sampled_from(MARKED)), "p": draw(numbers),
         "i": draw(numbers), "r": draw(numbers), "T": draw(st.sampled_from([0, NOW_MS + 1000]))}
        for _ in range(draw(st.integers(0, 4)))
    ]  # fmt: skip
    form = draw(st.sampled_from([items, items, items, {"stream": "!markPrice@arr", "data": items}, *items[:1]]))
    return json.dumps(form).encode()


drawn_frames = st.lists(
    st.one_of(
        st.tuples(st.just(("bybit", "tickers")), ticker(), st.integers(0, 1)),
        st.tuples(st.just(("binance", "markPrice")), marks(), st.integers(0, 1)),
    ),
    max_size=20,
)


def _frames(drawn: list[tuple[tuple[str, str], bytes, int]], unknown: int = 1000) -> list[RawFrame]:
    """`unknown`: of so many frames one whose arrival is not known."""
    times = [NOW_MS * 1_000_000 * ((n + 1) % unknown > 0) for n in range(len(drawn))]
    return [
        RawFrame(venue, channel, "*", "ws", times[n], f"{venue}-x-1-{session}", "x", "live", n, payload)
        for n, ((venue, channel), payload, session) in enumerate(drawn)
    ]


def _last(parsed: Parsed) -> tuple[Any, ...]:
    """Return the last row of each kind, channel and symbol with its frame, all that is not state, and the outcomes."""
    last: dict[Any, Any] = {}
    others: list[Any] = []
    for kind, facts in parsed.facts.items():
        for row, position in zip(facts.rows, facts.frames, strict=True):
            if kind in STATE:
                frame = parsed.frames[position]
                last[kind, frame.venue, frame.channel, row.symbol] = (row, position)  # type: ignore[attr-defined]
            elif kind is not Nothing:
                others.append((position, row))
    return last, sorted(others, key=lambda entry: entry[0]), bytes(parsed.outcomes), +parsed.reasons


def _texts(held: dict[Any, Any]) -> dict[Any, Any]:
    return {key: (state.cs, state.ticker) for key, state in held.items()}


@UNHURRIED
@given(drawn_frames, drawn_frames, st.sampled_from([7, 1000]))
def test_a_run_read_for_its_last_values_says_what_its_frames_say_in_the_end(
    first: list[tuple[tuple[str, str], bytes, int]], second: list[tuple[tuple[str, str], bytes, int]], unknown: int
) -> None:
    held: dict[Any, Any] = {}
    parse_frames(_frames(first, unknown), held)
    other = copy.deepcopy(held)
    frames = _frames(second, unknown)
    assert _last(parse_latest(frames, other)) == _last(parse_frames(frames, held))
    assert _texts(other) == _texts(held)


def test_of_many_arrays_only_the_last_values_become_rows() -> None:
    payloads = [
        json.dumps([{"E": NOW_MS + n, "s": f"C{k}USDT", "p": str(n + 1), "i": "1", "r": "", "T": 0} for k in range(50)])
        for n in range(40)
    ]
    frames = _frames([(("binance", "markPrice"), payload.encode(), 0) for payload in payloads])
    facts = parse_latest(frames, {}).facts[MarkPrice]
    assert [row.mark_price for row in facts.rows] == [40.0] * 50  # type: ignore[attr-defined]
    assert set(facts.frames) == {39}


@st.composite
def ordinary(draw: st.DrawFn) -> list[tuple[tuple[str, str], bytes, int]]:
    """Deltas in their order, now and then of a contract without snapshot, seldom odd, of one session or two."""
    rare = st.integers(0, 40)
    names = st.lists(st.sampled_from(FIELDS), unique=True, max_size=4)
    found = []
    for n in range(draw(st.integers(2, 30))):
        texts = {
            name: str(NOW_MS) if name == "nextFundingTime" else draw(st.sampled_from(NUMBERS)) for name in draw(names)
        }
        if texts and not draw(rare):
            texts[next(iter(texts))] = draw(st.sampled_from([text for text in ODD if isinstance(text, str)]))
        kind, cs = "delta" if draw(rare) else "snapshot", n if draw(rare) else 0
        found.append(_ticker(n, kind, draw(st.sampled_from([0, 0, 0, 1])), cs, **texts))
    return found


@UNHURRIED
@given(ordinary(), st.integers(0, 3), st.booleans())
def test_deltas_read_by_column_say_what_they_say_one_by_one(
    drawn: list[tuple[tuple[str, str], bytes, int]], known: int, whole: bool
) -> None:
    said = WHOLE if whole else {"markPrice": "1", "fundingRate": ""}
    held: dict[Any, Any] = {}
    parse_frames(
        _frames([_ticker(n, "snapshot", session, 0, **said) for n in range(known) for session in (0, 1)]), held
    )
    other = copy.deepcopy(held)
    frames = _frames(drawn)
    assert _last(parse_latest(frames, other)) == _last(parse_frames(frames, held))
    assert _texts(other) == _texts(held)


def _ticker(
    n: int, kind: str = "delta", session: int = 0, cs: int | None = None, ts: int = NOW_MS, **data: str
) -> tuple[Any, bytes, int]:
    symbol = {"symbol": f"C{n % 3}USDT"}
    message = {"type": kind, "ts": ts, "cs": n if cs is None else cs, "data": symbol | data}
    return ("bybit", "tickers"), json.dumps(message).encode(), session


WHOLE = {"fundingRate": "0.1", "openInterest": "5", "openInterestValue": "9", "markPrice": "1", "indexPrice": "2"}


def _deltas(first: int, count: int) -> list[tuple[Any, bytes, int]]:
    each = ({"markPrice": "3"}, {}, {"openInterest": "6", "fundingRate": "-0.2"}, {"nextFundingTime": str(NOW_MS)})
    return [_ticker(n, **each[n % 4]) for n in range(first, first + count)]


def test_of_ordinary_tickers_only_the_last_values_become_rows() -> None:
    held: dict[Any, Any] = {}
    frames = _frames([_ticker(n, "snapshot", **WHOLE) for n in range(3)] + _deltas(3, 120))
    facts = parse_latest(frames, held).facts
    assert [len(facts[kind].rows) for kind in (FundingRate, OpenInterest, MarkPrice)] == [6, 6, 6]
    assert _last(parse_latest(frames, {})) == _last(parse_frames(frames, {}))


@pytest.mark.parametrize(
    "odd",
    [
        _ticker(60, "snapshot", **WHOLE),
        _ticker(60, cs=2, markPrice="7"),
        _ticker(60, fundingRate=""),
        _ticker(60, markPrice="0"),
        _ticker(60, markPrice="nan"),
        _ticker(60, openInterest="inf"),
        _ticker(60, fundingRate="9" * 400),
        _ticker(60, nextFundingTime="-1"),
        _ticker(60, nextFundingTime="soon"),
        _ticker(60, fundingIntervalHour="0"),
        _ticker(60, ts=0, markPrice="7"),
        _ticker(60, ts=NOW_MS * 1000, markPrice="7"),
        (("bybit", "tickers"), b"{", 0),
    ],
)
def test_one_odd_ticker_among_many_is_read_alone_and_the_others_are_as_they_would_be(
    odd: tuple[Any, bytes, int],
) -> None:
    frames = _frames([_ticker(n, "snapshot", **WHOLE) for n in range(2)] + _deltas(2, 58) + [odd] + _deltas(61, 60))
    held: dict[Any, Any] = {}
    other: dict[Any, Any] = {}
    assert _last(parse_latest(frames, other)) == _last(parse_frames(frames, held))
    assert _texts(other) == _texts(held)


def test_a_run_of_which_nothing_can_be_decoded_is_dead_letters() -> None:
    frames = _frames([(("bybit", "tickers"), b"{", 0)] * 5)
    assert _last(parse_latest(frames, {})) == _last(parse_frames(frames, {}))


def test_a_cross_sequence_beyond_64_bits_is_held_as_it_is() -> None:
    frames = _frames([_ticker(0, "snapshot", cs=2**70, **WHOLE), _ticker(3, cs=2**70 + 1, markPrice="7"), _ticker(6)])
    held: dict[Any, Any] = {}
    assert _last(parse_latest(frames, held)) == _last(parse_frames(frames, {}))
    assert {state.cs for state in held.values()} == {2**70 + 1}
