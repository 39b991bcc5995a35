"""Our own reading of frames that a foreign client heard: the rows of every table, by the frame's number."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, parse_frames
from pipelines.facts import FundingInterval, Instrument
from pipelines.venues import VENUES, parser_of

Rows = dict[int, list[dict[str, Any]]]


class Frame(NamedTuple):
    """A frame as heard. `number` is the key of its rows; `channel` is given for a REST answer."""

    number: int
    venue: str
    session: str
    payload: bytes
    channel: str | None = None


def book_of(answers: Mapping[str, Iterable[tuple[str, bytes]]]) -> Instruments:
    """Return the contracts that instrument answers (channel, body) of each venue tell of."""
    book = Instruments()
    for venue, found in answers.items():
        for channel, body in found:
            parser = parser_of(venue, "rest", channel)
            assert parser is not None
            rows = parser(RawFrame(venue, channel, "*", "rest", 0, venue, "a", "live", 1, body), {})
            book = book.learn(venue, [(row, 0) for row in rows if isinstance(row, Instrument | FundingInterval)])
    return book


def rows_of(frames: Sequence[Frame], book: Instruments) -> dict[str, Rows]:
    """Return the rows of every table by frame number; control frames give none."""
    parsed = parse_frames([raw for frame in frames if (raw := _raw(frame)) is not None], {})
    tables, _ = normalise(parsed, book, grid_s=0)
    found: dict[str, Rows] = {}
    for name, table in tables.items():
        by_frame = found.setdefault(name, defaultdict(list))
        for row in table.iter_rows(named=True):
            by_frame[row["seq"]].append(row)
    return found


def _raw(frame: Frame) -> RawFrame | None:
    transport: Literal["ws", "rest"] = "rest"
    channel, symbol = frame.channel, "*"
    if channel is None:
        transport, named = "ws", VENUES[frame.venue].channel_of(frame.payload)
        if named is None or named.channel == "control":
            return None
        channel, symbol = named
    return RawFrame(frame.venue, channel, symbol, transport, 0, frame.session, "a", "live", frame.number, frame.payload)
