"""A run of state frames read for its last values gives the last rows that its frames give one by one."""

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from pipelines.ingest.grid import STATE
from pipelines.reading.latest import parse_latest
from pipelines.reading.parse import Parsed, parse_frames
from pipelines.rows import MarkPrice, Nothing

NOW_MS = 1_790_000_000_000
UNHURRIED = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
NUMBERS = ("1", "0.5", "2.25", "100")
ODD = ("", "0", "-1", "nan", "abc", "1_0", " 3", None, 7)
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


@st.composite
def ticker(draw: st.DrawFn) -> bytes:
    symbol = draw(st.sampled_from(["BTCUSDT", "BTCUSD", "ETHUSDT"]))
    names = draw(st.lists(st.sampled_from(FIELDS), unique=True))
    data = {"symbol": symbol} | {name: str(NOW_MS) if name == "nextFundingTime" else draw(numbers) for name in names}
    message = {"topic": f"tickers.{symbol}", "type": draw(st.sampled_from(["snapshot", "delta", "delta", "delta"])),
               "data": data, "cs": draw(st.integers(1, 5)), "ts": draw(times)}  # fmt: skip
    text = json.dumps(message).encode()
    return text if draw(st.integers(0, 15)) else text[:-3]


@st.composite
def marks(draw: st.DrawFn) -> bytes:
    items = [
        {"E": draw(times), "s": draw(st.sampled_from(["BTCUSDT", "ETHUSDT", "BTCUSD_PERP"])), "p": draw(numbers),
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


def _frames(drawn: list[tuple[tuple[str, str], bytes, int]]) -> list[RawFrame]:
    return [
        RawFrame(venue, channel, "*", "ws", NOW_MS * 1_000_000 * (n % 7 != 3), f"{venue}-x-1-{session}", n, payload)
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
@given(drawn_frames, drawn_frames)
def test_a_run_read_for_its_last_values_says_what_its_frames_say_in_the_end(
    first: list[tuple[tuple[str, str], bytes, int]], second: list[tuple[tuple[str, str], bytes, int]]
) -> None:
    held: dict[Any, Any] = {}
    parse_frames(_frames(first), held)
    other = copy.deepcopy(held)
    frames = _frames(second)
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
