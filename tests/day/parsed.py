"""The day's frames as files of JSON lines, and the rows `liq parse` makes of them: all that the plain figures stand on."""

import io
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from collectors.envelope import RawFrame
from collectors.venues.known import USUAL
from pipelines.columns.contracts.instruments import Instruments
from pipelines.commands.parse import options_of, read_instruments, run
from pipelines.venues import VENUES

Row = dict[str, Any]
EVENTS = "collector.events"
LISTS = ("um_exchangeInfo", "um_fundingInfo", "cm_exchangeInfo", "instruments-info", "instruments")


def parse(frames: Sequence[RawFrame], folder: Path) -> tuple[list[Row], list[Row]]:
    """Return every row of every frame, in the order the frames came, and the remark on each frame without rows.

    `frame` in both is the frame's place in `frames`. The files: WebSocket messages by session, answers by session, channel
    and symbol asked for; the lists of contracts of a venue are one file, so that each contract is a row where it is told.
    """
    files = _written(frames, folder)
    books = {venue: read_instruments(VENUES[venue], [_lists(frames, folder / venue)]) for venue in USUAL}
    rows: list[Row] = []
    remarks: list[Row] = []
    for path, places in files.items():
        channel, symbol = _asked(frames[places[0]])
        out, said = io.BytesIO(), list[str]()
        run(options_of(path.parent.name, str(path), channel, symbol), books[path.parent.name], out, said.append)
        lines = (json.loads(line) for line in out.getvalue().splitlines())
        rows += _placed((row for row in lines if row["table"] != "instruments"), places)
        told = (text.removeprefix(f"{path}:").split(": ", 1) for text in said)
        remarks += _placed(({"seq": int(seq), "remark": text} for seq, text in told), places)
    return sorted([*rows, *_contracts(frames, folder)], key=lambda row: int(row["frame"])), remarks


def _contracts(frames: Sequence[RawFrame], folder: Path) -> list[Row]:
    """Return the rows of the lists of contracts, read by one who knows none before."""
    rows: list[Row] = []
    for venue in USUAL:
        known = Instruments()
        for channel in LISTS:
            places = [n for n, frame in enumerate(frames) if (frame.venue, frame.channel) == (venue, channel)]
            if places:
                path, out = folder / venue / channel, io.BytesIO()
                path.write_bytes(b"".join(frames[place].payload + b"\n" for place in places))
                run(options_of(venue, str(path), channel, None), known, out, str)
                known = known if channel.endswith("fundingInfo") else read_instruments(VENUES[venue], [path])
                rows += _placed((json.loads(line) for line in out.getvalue().splitlines()), places)
    return rows


def _placed(rows: Iterable[Row], places: Sequence[int]) -> list[Row]:
    return [row | {"frame": places[row["seq"] - 1]} for row in rows]


def events(frames: Iterable[RawFrame]) -> list[Row]:
    """Return what collectors told, in order, with the feed and source of the session that each is of."""
    return [
        json.loads(frame.payload) | {"feed": frame.feed, "source": frame.source}
        for frame in frames
        if frame.topic == EVENTS
    ]


def _lists(frames: Sequence[RawFrame], folder: Path) -> Path:
    """Write a venue's lists of contracts as one file."""
    lines = [frame.payload + b"\n" for frame in frames if frame.venue == folder.name and frame.channel in LISTS]
    path = folder / "instruments"
    path.write_bytes(b"".join(lines))
    return path


def _written(frames: Sequence[RawFrame], folder: Path) -> dict[Path, list[int]]:
    places: dict[Path, list[int]] = defaultdict(list)
    lines: dict[Path, list[bytes]] = defaultdict(list)
    for place, frame in enumerate(frames):
        if frame.topic != EVENTS:
            channel, symbol = _asked(frame)
            path = folder / frame.venue / f"{channel or 'ws'},{symbol or '-'},{frame.session}.jsonl"
            places[path].append(place)
            lines[path].append(frame.payload + b"\n")
    for path, own in lines.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(own))
    return places


def _asked(frame: RawFrame) -> tuple[str | None, str | None]:
    """Return the channel and the symbol that were asked for; a WebSocket message names both itself."""
    if frame.transport == "ws":
        return None, None
    return frame.channel, None if frame.symbol == "*" else frame.symbol
