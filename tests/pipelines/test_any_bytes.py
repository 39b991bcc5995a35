"""Whatever bytes a frame of any channel of any venue is: rows, a dead letter, or nothing with a name, from every reader."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import DEAD, WITH_ROWS, WITHOUT_ROWS, normalise
from pipelines.facts import Nothing, Rejected
from pipelines.reading import blocks
from pipelines.reading.blocks import parse_batch
from pipelines.reading.latest import parse_latest
from pipelines.reading.parse import Parsed, parse_frames
from pipelines.venues import VENUES
from pipelines.venues.bybit import latest as bybit_latest
from tests.pipelines.frame_files import own_frames

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
READERS = (parse_frames, parse_batch, parse_latest)
NOW_NS = 1_790_000_000_000_000_000
OWN = own_frames(NOW_NS)
CHANNELS = sorted(
    {(venue.name, *key) for venue in VENUES.values() for key in (*venue.parsers, *venue.nothing)}
    | {
        ("nowhere", "ws", "x"), ("okx", "ws", "?"), ("okx", "ws", "?why"), ("bybit", "rest", "kline@"), ("bybit", "ws", ""),
        ("okx", "rest", "candles@M"), ("binance", "rest", "um_klines@999"), ("okx", "rest", "rubik_taker-volume-contract@utc"),
    }
)  # fmt: skip
ODD = [b"", b"\x00", b"\xff", b"\xed\xa0\x80", b"\\ud800", b'"', b"[", b"{", b"]", b"}", b",", b"-", b"e999", b"NaN", b"null",
       b"9" * 400, b"\\", b"\n", b"\x1b[2J", b'{"a":' * 1500, b"[" * 1500, b"\xef\xbb\xbf"]  # fmt: skip


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read even two frames by column."""
    monkeypatch.setattr(blocks, "FEWEST", 2)
    monkeypatch.setattr(bybit_latest, "FEWEST", 2)


def _is_told(parsed: Parsed) -> None:
    """Each frame has one outcome, and what goes with it."""
    at: dict[type, set[int]] = {kind: set(facts.frames) for kind, facts in parsed.facts.items()}
    for facts in parsed.facts.values():
        for block in facts.blocks:
            at.setdefault(object, set()).update(block["frame"])
    rows = set().union(*(found for kind, found in at.items() if kind not in (Nothing, Rejected)))
    for n, outcome in enumerate(parsed.outcomes):
        assert outcome in (WITHOUT_ROWS, WITH_ROWS, DEAD)
        assert (outcome == DEAD) == (n in at.get(Rejected, ()))
        if outcome == WITHOUT_ROWS:
            assert n not in rows
    for row in parsed.rejected.rows:
        assert isinstance(row, Rejected)
        assert row.reason
        assert row.reason.isprintable()
        assert len(row.reason) <= 300
        assert "parser failed" not in row.reason
    assert all(reason and reason.isprintable() for reason in parsed.reasons)
    named = sum(parsed.reasons.values())
    assert named >= parsed.outcomes.count(WITHOUT_ROWS), "nothing is passed over without a name"


def _read(frames: list[RawFrame]) -> None:
    for read in READERS:
        _is_told(read(frames, {}))


def _frame(channel: tuple[str, str, str], payload: bytes, symbol: str = "*", n: int = 1) -> RawFrame:
    venue, transport, name = channel
    return RawFrame(venue, name, symbol, transport, NOW_NS, f"{venue}-x-1-aaaa", "x", "live", n, payload, "raw.x", 0, n)  # type: ignore[arg-type]


@settings(UNHURRIED, max_examples=400)
@given(st.sampled_from(CHANNELS), st.lists(st.binary(max_size=80) | st.sampled_from(ODD), min_size=1, max_size=4),
       st.sampled_from(["*", "", "BTC-USDT-SWAP", "\x00", "?"]))  # fmt: skip
def test_any_bytes_of_any_channel_are_told(channel: tuple[str, str, str], payloads: list[bytes], symbol: str) -> None:
    for venue in VENUES.values():
        venue.channel_of(payloads[0])
        venue.answer_of(payloads[0])
    _read([_frame(channel, payload, symbol, n) for n, payload in enumerate(payloads)])


@st.composite
def damaged(draw: st.DrawFn) -> tuple[RawFrame, list[bytes]]:
    """A frame as venues send it, and copies with bytes cut out, put in, doubled or turned over."""
    frame = draw(st.sampled_from(OWN))
    found = []
    for _ in range(draw(st.integers(1, 3))):
        payload = frame.payload
        for _ in range(draw(st.integers(1, 3))):
            start = draw(st.integers(0, len(payload)))
            end = min(len(payload), start + draw(st.integers(0, 12)))
            way = draw(st.sampled_from(["cut", "put in", "in place", "double", "turn", "end"]))
            odd = draw(st.sampled_from(ODD))
            part = payload[start:end]
            new = {
                "cut": b"",
                "put in": odd + part,
                "in place": odd,
                "double": part * 2,
                "turn": part[::-1],
                "end": b"",
            }[way]
            payload = payload[:start] + new + (b"" if way == "end" else payload[end:])
        found.append(payload)
    return frame, found


@settings(UNHURRIED, max_examples=600)
@given(damaged())
def test_a_frame_with_damaged_bytes_is_told(damage: tuple[RawFrame, list[bytes]]) -> None:
    frame, payloads = damage
    VENUES[frame.venue].channel_of(payloads[0])
    frames = [msgspec.structs.replace(frame, payload=payload, seq=n) for n, payload in enumerate(payloads)]
    _read([frame, *frames, frame])
    with_others = [msgspec.structs.replace(other, payload=payloads[0]) for other in OWN[:: 1 + len(OWN) // 20]]
    _read([*frames, *with_others])


def _twice(node: Any) -> str:
    """A document as JSON whose objects have each key of a number or text twice: first another value, then the right one."""
    if isinstance(node, dict):
        members = (f"{_before(key, value)}{json.dumps(key)}:{_twice(value)}" for key, value in node.items())
        return "".join(("{", ",".join(members), "}"))
    return f"[{','.join(map(_twice, node))}]" if isinstance(node, list) else json.dumps(node)


SIDES = (("BUY", "SELL"), ("Buy", "Sell"), ("buy", "sell"), ("long", "short"))
OTHER = dict(SIDES) | {value: key for key, value in SIDES}


def _before(key: str, value: Any) -> str:
    other = (
        OTHER.get(value)
        if isinstance(value, str) and value in OTHER
        else {str: "771", int: 771, float: 771.5}.get(type(value))
    )
    return "" if other is None else f"{json.dumps(key)}:{json.dumps(other)},"


def test_of_a_key_that_is_there_twice_every_reader_takes_the_same() -> None:
    doubled = []
    for n, frame in enumerate(OWN):
        try:
            document = json.loads(frame.payload)
        except ValueError:
            continue
        doubled.append(msgspec.structs.replace(frame, payload=_twice(document).encode(), seq=n))
    _read(doubled)
    tables = [
        normalise(read(doubled, {}), Instruments()).tables["liquidations"] for read in (parse_frames, parse_batch)
    ]
    assert tables[0].height > 10
    assert tables[0].equals(tables[1])
    assert {771.0}.isdisjoint(tables[0]["qty_raw"])


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: " ".join(channel))
@pytest.mark.timeout(120)
def test_no_payload_takes_a_parser_more_time_than_its_length_asks_for(channel: tuple[str, str, str]) -> None:
    long = [b'{"data":"%s"}' % (b"9" * 300_000), b'"' * 300_000, b"[" * 300_000, b'{"a":' * 100_000, b"-" * 300_000,
            b'[{"s":"%s"}]' % (b"A-" * 100_000), b"1," * 150_000, b'{"data":[%s]}' % b",".join([b"{}"] * 60_000)]  # fmt: skip
    _read([_frame(channel, payload, n=n) for n, payload in enumerate(long)])
