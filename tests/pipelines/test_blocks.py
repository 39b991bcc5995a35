"""Frames read many at once give what they give one by one: every row, dead letter, reason and outcome."""

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, parse_frames
from pipelines.facts import Liquidation
from pipelines.reading import blocks
from pipelines.reading.blocks import parse_batch
from pipelines.reading.parse import DEAD, WITH_ROWS, Facts
from pipelines.venues import BULKS, VENUES
from tests.pipelines.frame_files import frame_files

NOW_MS = 1_790_000_000_000
UNHURRIED = settings(
    deadline=None, max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
PLAIN = ("1", "0.25", "58000.1", "1.0", "1e3")
ODD = ("", "0", "-1", "nan", "inf", "-0", " 2", "1_0", "abc", "9" * 400, "0x10", "1.2.3", "٣", 7, None, True, {}, [])
TIMES = (NOW_MS, NOW_MS - 1, NOW_MS + 86_400_000, NOW_MS + 86_400_001, 0, -1, NOW_MS // 1000, NOW_MS * 1000, 2**70, 1.5)

values = st.one_of(st.sampled_from(PLAIN), st.sampled_from(PLAIN), st.sampled_from(ODD))
times = st.one_of(st.just(NOW_MS), st.sampled_from(TIMES))


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read even a single frame by column, and a batch in several parts."""
    monkeypatch.setattr(blocks, "FEWEST", 1)
    monkeypatch.setattr(blocks, "AT_ONCE", 3)


@st.composite
def binance(draw: st.DrawFn) -> bytes:
    order: dict[str, Any] = {
        "s": draw(st.sampled_from(["BTCUSDT", "BTCUSD_PERP", "1000PEPEUSDT", "?", ""])),
        "S": draw(st.sampled_from(["BUY", "SELL", "SELL", "Sell"])), "q": draw(values), "p": draw(values),
        "ap": draw(values), "z": draw(values), "X": draw(st.sampled_from(["FILLED", "NEW", None])), "T": draw(times),
        "st": draw(st.sampled_from([1, 2, 0, None, 3])),
    }  # fmt: skip
    order = {name: order[name] for name in order if draw(st.integers(0, 30))}
    event = {"e": "forceOrder", "o": order, "st": draw(st.sampled_from([None, 1, 2]))}
    forms: list[Any] = [
        event,
        {"stream": "x", "data": event},
        [event, event],
        {"result": None},
        {"o": order, "data": event},
        {"code": draw(st.sampled_from([0, 1, None, "x"])), "msg": draw(st.sampled_from(["", "no"])), "data": event},
    ]
    return _json(draw, draw(st.sampled_from(forms)))


@st.composite
def bybit(draw: st.DrawFn) -> bytes:
    items = [
        {"T": draw(times), "s": draw(st.sampled_from(["BTCUSDT", "BTCUSD", "BTCPERP", "?"])),
         "S": draw(st.sampled_from(["Buy", "Sell", "buy"])), "v": draw(values), "p": draw(values)}
        for _ in range(draw(st.integers(0, 3)))
    ]  # fmt: skip
    return _json(draw, {"topic": "allLiquidation.X", "data": items * draw(st.integers(1, 2))})


@st.composite
def okx(draw: st.DrawFn) -> bytes:
    entries = [
        {"instId": draw(st.sampled_from(["BTC-USDT-SWAP", "BTC-USD-SWAP", "BTC-USD-261226", "?"])),
         "instType": draw(st.sampled_from(["SWAP", "SWAP", "FUTURES", "OPTION"])),
         "details": [
            {"side": draw(st.sampled_from(["buy", "sell"])), "posSide": draw(st.sampled_from(["long", "short", "net"])),
             "bkPx": draw(values), "sz": draw(values), "ts": str(draw(times))}
            for _ in range(draw(st.integers(0, 2)))] * draw(st.integers(1, 2))}
        for _ in range(draw(st.integers(0, 2)))
    ]  # fmt: skip
    return _json(draw, {"arg": {"channel": "liquidation-orders"}, "data": entries})


def _json(draw: st.DrawFn, message: Any) -> bytes:
    text = json.dumps(message, ensure_ascii=False).encode()
    return text if draw(st.integers(0, 20)) else text[: draw(st.integers(0, len(text)))]


KINDS = tuple(BULKS)
MADE = {"binance": binance(), "bybit": bybit(), "okx": okx()}
frames_drawn = st.lists(
    st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), MADE[kind[0]], st.sampled_from([0, 1]))),
    max_size=12,
)


def _frame(n: int, kind: tuple[str, str, str], payload: bytes, received: int = 1) -> RawFrame:
    venue, transport, channel = kind
    recv_ns = NOW_MS * 1_000_000 * received
    return RawFrame(
        venue, channel, "*", transport, recv_ns, f"{venue}-x-1-{n % 2}", "x", "live", n, payload, "raw.x", n % 3, n
    )  # type: ignore[arg-type]


def _everything(parsed: Any) -> tuple[Any, ...]:
    tables = normalise(parsed, Instruments(), grid_s=0).tables
    return (
        {name: table.sort("kafka_offset", maintain_order=True).rows() for name, table in tables.items() if table.height},
        bytes(parsed.outcomes), dict(parsed.reasons),
    )  # fmt: skip


_ENTRY = (
    b'{"instId":"BTC-USDT-SWAP","instType":"SWAP","details":'
    b'[{"side":"buy","posSide":"%s","bkPx":"1","sz":"1","ts":"1790000000000"}]}'
)
NONE_THEN_TWO = [
    (KINDS[2], b'{"arg":{"channel":"liquidation-orders"},"data":[%s]}' % b",".join(data), 0)
    for data in ([], [_ENTRY % b"long", _ENTRY % b"short"])
]


@UNHURRIED
@given(frames_drawn)
@example(NONE_THEN_TWO)
@example([(KINDS[1], b'{"data":[{"T":1790000000000,"s":"BTCUSDT","S":"Buy","v":"1","p":"2"}]}', 1)] * 7)
def test_a_batch_says_what_its_frames_say(drawn: list[tuple[tuple[str, str, str], bytes, int]]) -> None:
    frames = [_frame(n, *each) for n, each in enumerate(drawn)]
    assert _everything(parse_batch(frames, {})) == _everything(parse_frames(frames, {}))


def test_ordinary_liquidations_are_read_by_column() -> None:
    for kind in BULKS:
        venue = VENUES[kind[0]]
        lines = [line for path in frame_files(venue.name) for line in path.read_bytes().splitlines()]
        own = [line for line in lines if (named := venue.channel_of(line)) and named.channel == kind[2]]
        frames = [_frame(n, kind, line, 0) for n, line in enumerate(own)]
        facts = parse_batch(frames, {}).facts[Liquidation]
        assert sum(block.height for block in facts.blocks) > len(facts.rows)
        assert _everything(parse_batch(frames, {})) == _everything(parse_frames(frames, {}))


def test_liquidations_read_both_ways_stand_in_the_order_of_their_frames() -> None:
    good = b'{"data":[{"T":1790000000000,"s":"BTCUSDT","S":"Buy","v":"%d","p":"2"}]}'
    odd = b'{"data":[{"T":1790000000000,"s":"BTCUSDT","S":"Buy","v":" %d","p":"2"}]}'
    frames = [_frame(n, KINDS[1], (odd if n % 3 else good) % (n + 1)) for n in range(9)]
    parsed = parse_batch(frames, {})
    assert (len(parsed.facts[Liquidation].rows), len(parsed.facts[Liquidation].blocks)) == (6, 1)
    table = normalise(parsed, Instruments()).tables["liquidations"]
    assert table["seq"].to_list() == list(range(9))
    assert table["qty_raw"].to_list() == [float(n + 1) for n in range(9)]


def test_batches_put_together_keep_each_liquidation_with_its_frame() -> None:
    from pipelines.ingest.ready import merged

    payload = b'{"data":[{"T":1790000000000,"s":"BTCUSDT","S":"Buy","v":"1","p":"%d"}]}'
    frames = [_frame(n, KINDS[1], payload % (n + 1)) for n in range(10)]
    parts = [parse_batch(frames[:4], {}), parse_batch(frames[4:], {})]
    assert _everything(merged(parts)) == _everything(parse_frames(frames, {}))
    facts = merged(parts).facts.get(Liquidation, Facts([], []))
    assert pl.concat([block.select("frame") for block in facts.blocks])["frame"].to_list() == list(range(10))


def test_frames_are_read_as_their_own_venue_says_though_sessions_have_one_name() -> None:
    payload = b'{"data":[{"T":1790000000000,"s":"BTCUSDT","S":"Buy","v":"1","p":"2"}]}'
    kinds = [KINDS[1], KINDS[1], ("binance", "ws", "allLiquidation"), ("bybit", "rest", "allLiquidation"), KINDS[1]]
    frames = [
        RawFrame(venue, channel, "*", transport, NOW_MS * 1_000_000, "one", "a", "live", n, payload, "raw.x", 0, n)  # type: ignore[arg-type]
        for n, (venue, transport, channel) in enumerate(kinds)
    ]
    parsed = parse_batch(frames, {})
    assert bytes(parsed.outcomes) == bytes([WITH_ROWS, WITH_ROWS, DEAD, DEAD, WITH_ROWS])
    assert _everything(parsed) == _everything(parse_frames(frames, {}))


def test_only_a_frame_that_cannot_be_read_by_column_is_read_alone() -> None:
    """One of a batch without liquidations, one odd and one broken: each is said once, and the others stay in columns."""
    good = b'{"data":[{"T":1790000000000,"s":"BTCUSDT","S":"Buy","v":"%d","p":"2"}]}'
    bodies = [good % 1, b'{"data":[]}', good % 2, b'{"data"', good % 3, good.replace(b"%d", b" 4"), good % 5]
    frames = [_frame(n, KINDS[1], body) for n, body in enumerate(bodies)]
    parsed = parse_batch(frames, {})
    facts = parsed.facts[Liquidation]
    assert pl.concat([block.select("frame") for block in facts.blocks])["frame"].to_list() == [0, 2, 4, 6]
    assert facts.frames == [5]
    assert bytes(parsed.outcomes) == bytes([1, 0, 1, DEAD, 1, 1, 1])
    assert _everything(parsed) == _everything(parse_frames(frames, {}))
