"""Whatever bytes come, in whatever order, they give the same rows or a reason."""

import copy
import json
from typing import Any

import msgspec
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, parse_frames
from pipelines.columns.schemas import schema
from pipelines.venues import VENUES
from tests.pipelines.frame_files import own_frames

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOW_MS = 1_790_000_000_000
NOW_NS = NOW_MS * 1_000_000
OWN = own_frames()
CHANNELS = sorted((venue.name, *key) for venue in VENUES.values() for key in venue.parsers)
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", "nan", "1e999", "0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def _frame(
    venue: str, channel: str, payload: bytes, seq: int = 1, transport: str = "ws", symbol: str = "*"
) -> RawFrame:
    session = f"{venue}-test-1-a"
    return RawFrame(venue, channel, symbol, transport, NOW_NS, session, "a", "live", seq, payload, "raw.x", 2, seq + 10)  # type: ignore[arg-type]


def _survives(frames: list[RawFrame]) -> None:
    """Every frame has an outcome, and no number of any row is NaN or infinite."""
    parsed = parse_frames(frames, {})
    assert len(parsed.outcomes) == len(frames)
    tables = normalise(parsed, Instruments()).tables
    for name, table in tables.items():
        assert dict(table.schema) == schema(name)
        floats = table.select(pl.col(pl.Float64).is_finite().all())
        assert all(floats.row(0)) if floats.width else True
    assert not any("parser failed" in reason for reason in tables["dead_letters"]["reason"])


@settings(UNHURRIED, max_examples=300)
@given(st.sampled_from(CHANNELS), st.binary(max_size=200))
def test_any_bytes_give_rows_or_a_reason(channel: tuple[str, str, str], payload: bytes) -> None:
    venue, transport, name = channel
    VENUES[venue].channel_of(payload)
    _survives([_frame(venue, name, payload, transport=transport)])


@settings(UNHURRIED, max_examples=600)
@given(st.data(), st.sampled_from(OWN))
def test_any_change_to_a_frame_gives_rows_or_a_reason(data: st.DataObject, frame: RawFrame) -> None:
    try:
        document = json.loads(frame.payload)
    except ValueError:
        return
    changed = json.dumps(_changed(document, data)).encode()
    VENUES[frame.venue].channel_of(changed)
    _survives([msgspec.structs.replace(frame, payload=changed)])


def _changed(document: Any, data: st.DataObject) -> Any:
    """Replace one place of a document by something else."""
    places = list(_places(document))
    holder, key = data.draw(st.sampled_from(places)) if places else (None, None)
    if holder is None:
        return data.draw(JUNK)
    document = copy.deepcopy(document)
    target = document
    for step in holder:
        target = target[step]
    target[key] = data.draw(JUNK)
    return document


def _places(node: Any, path: tuple[Any, ...] = ()) -> Any:
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, inner in steps:
        yield path, key
        yield from _places(inner, (*path, key))


@settings(UNHURRIED, max_examples=50)
@given(st.lists(st.integers(0, len(OWN) - 1), max_size=20))
def test_frames_in_any_order_and_number_give_the_same_liquidations(positions: list[int]) -> None:
    def key_set(frames: list[RawFrame]) -> set[tuple[Any, ...]]:
        table = normalise(parse_frames(frames, {}), Instruments()).tables["liquidations"]
        return set(table.select("ts_event", "event_key", "occurrence", "qty_raw", "price_raw", "order_side").rows())

    chosen = [OWN[position] for position in positions]
    assert key_set(chosen) == key_set(chosen[::-1] + chosen)
