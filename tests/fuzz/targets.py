"""What the inputs go to: the collectors' naming, the envelope, every parser. Each raises where a promise is broken."""

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

import msgspec

from collectors.delivery.recorder import Recorder
from collectors.envelope import NotARawRecordError, RawFrame, Transport, from_record, to_record
from collectors.venues.known import VENUES as COLLECTED
from collectors.venues.venue import Answer, Control, Frame, Venue
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise
from pipelines.facts import Liquidation
from pipelines.reading.blocks import FEWEST, parse_batch
from pipelines.reading.latest import parse_latest
from pipelines.reading.parse import Parsed, parse_frames
from tests.fuzz.bounds import MOST_S, bounded, wrong_sides
from tests.fuzz.cases import Case, case
from tests.fuzz.dice import Dice

NOW_NS = 1_790_000_000_000_000_000
HEADERS = ("v", "venue", "channel", "transport", "recv_ns", "session", "feed", "source", "seq", "sent_ns")
VALUES = (
    b"1", b"0", b"-1", b"", b"2", b"ws", b"rest", b"import", b"binance", b"\xff", b"\0", b"9223372036854775807",
    b"9223372036854775808", b"1" * 5000, b"1_0", b" 1", b"1.0", "١".encode(), b"1790000000000000000", b"x" * 5000, b"a|b",
)  # fmt: skip
KEYS = (b"binance|forceOrder|BTCUSDT", b"", b"a", b"a|b", b"a|b|", b"a|b|c|d", b"\xff|\xff|\xff", b"||", b"x" * 5000)


def frame_of(found: Case, n: int = 0) -> RawFrame:
    """Return a case as a frame of a session."""
    transport: Transport = "ws" if found.transport == "ws" else "rest"
    return RawFrame(
        found.venue, found.channel, found.symbol, transport, NOW_NS + n, f"{found.venue}-x-18ec-0001", "x", "live", n + 1,
        found.payload, "raw.liquidation", 0, n,
    )  # fmt: skip


def parsers(data: bytes) -> None:
    """A frame to its parser, alone and where only the last value counts: rows, a reason or a dead letter; no wrong side."""
    found = case(Dice(data))
    frame = frame_of(found)
    for read in (parse_frames, parse_latest):
        with bounded("parsers"):
            parsed = read([frame], {})
        given = {n for facts in parsed.facts.values() for n in facts.frames}
        assert given or parsed.reasons, "the frame gave nothing, and nobody says why"
        rows = parsed.facts[Liquidation].rows if Liquidation in parsed.facts else []
        _sides(found, [(row.symbol, row.order_side, row.position_side) for row in rows if isinstance(row, Liquidation)])


def tables(data: bytes) -> None:
    """Frames of one channel on to the tables: in bulk as one by one."""
    found = case(Dice(data))
    with bounded("tables", 2 * MOST_S):
        many = [frame_of(found, n) for n in range(FEWEST + 6)]
        bulk, plain = (_liquidations(found, read(many, {})) for read in (parse_batch, parse_frames))
        assert bulk == plain, "the same frames give other liquidations in bulk"


def _liquidations(found: Case, parsed: Parsed) -> list[tuple[object, ...]]:
    rows = normalise(parsed, Instruments()).tables["liquidations"]
    _sides(found, rows.select("symbol", "order_side", "position_side").unique().rows())
    return sorted(rows.rows(), key=repr)


def _sides(found: Case, rows: list[tuple[str, str, str]]) -> None:
    if wrong := wrong_sides(found.venue, found.payload, rows):
        raise AssertionError(f"wrong side: {wrong[0]}")


class _Nowhere:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.put: Callable[[RawFrame], None] = self._take
        self.frames: list[RawFrame] = []

    def _take(self, frame: RawFrame) -> None:
        self.frames.append(frame)

    def takes(self, _topic: str) -> bool:
        return True

    async def room(self, _topic: str = "") -> None:
        return

    def is_gapped(self, _session: str) -> bool:
        return False


@lru_cache
def _collected(name: str) -> Venue:
    return COLLECTED[name]()


def naming(data: bytes) -> None:
    """A message to the collector: named, or not; what it becomes in Kafka is read back as it was."""
    found = case(Dice(data))
    if found.venue not in COLLECTED:  # what is imported alone
        return
    venue = _collected(found.venue)
    with bounded("naming"):
        named = venue.classify(found.payload)
        assert named is None or isinstance(named, Frame | Control)
        with suppress(msgspec.MsgspecError, ValueError, RecursionError):  # as the poller
            venue.page(found.payload)
        venue.refusal(Answer(200, {}, found.payload, NOW_NS / 1e9))
        if not isinstance(named, Control):
            sink = _Nowhere()
            Recorder(venue.name, "x", "ws", sink).frame(found.payload, named, NOW_NS)
            (frame,) = sink.frames
            again = from_record(*to_record(frame), frame.topic, -1, -1)
            assert again.payload == frame.payload
            assert (again.symbol, again.channel, again.seq) == (frame.symbol, frame.channel, frame.seq)
            assert (again.feed, again.source) == ("x", "live")


def envelope(data: bytes) -> None:
    """A Kafka record with whatever headers and key: a frame with numbers that fit their columns, or NotARawRecordError."""
    dice = Dice(data)
    record = to_record(frame_of(Case("binance", "ws", "forceOrder", "BTCUSDT", b"{}")))
    headers = list(record.headers)
    for _ in range(dice.below(5)):
        name, text = dice.of(HEADERS), dice.of(VALUES)
        how = dice.below(3)
        headers = [each for each in headers if each[0] != name or how == 2]
        headers += [(name, text)] if how else []
    key = dice.of((record.key, record.key, None, *KEYS))
    value = dice.of((record.value, None, b""))
    with bounded("envelope"):
        try:
            frame = from_record(key, value, headers, "raw.liquidation", 0, 0)
        except NotARawRecordError:
            return
        for number in (frame.recv_ns, frame.seq):
            assert 0 <= number < 2**63, f"{number} fits no column"


TARGETS = {"parsers": parsers, "tables": tables, "naming": naming, "envelope": envelope}
