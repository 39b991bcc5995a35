"""The day's frames as files of JSON lines, and the rows `liq parse` makes of them: all that the plain figures stand on."""

import io
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from collectors.envelope import RawFrame
from pipelines.parse_cli import options_of, read_instruments, run
from pipelines.venues import VENUES

Row = dict[str, Any]
EVENTS = "collector.events"
LISTS = ("um_exchangeInfo", "um_fundingInfo", "cm_exchangeInfo", "instruments-info", "instruments")


def parse(frames: Sequence[RawFrame], folder: Path) -> list[Row]:
    """Return every row of every frame, in the order the frames came; `frame` in a row is its frame's place in `frames`.

    The files: WebSocket messages by session, answers by session, channel and symbol asked for. Fails on a dead letter.
    """
    files = _written(frames, folder)
    books = {venue: read_instruments(VENUES[venue], [_lists(frames, folder / venue)]) for venue in VENUES}
    rows: list[Row] = []
    for path, places in files.items():
        channel, symbol = _asked(frames[places[0]])
        out, remarks = io.BytesIO(), list[str]()
        options = options_of(path.parent.name, str(path), channel, symbol)
        assert run(options, books[path.parent.name], out, remarks.append) == 0, remarks[:3]
        for line in out.getvalue().splitlines():
            row = json.loads(line)
            rows.append(row | {"frame": places[row["seq"] - 1]})
    return sorted(rows, key=lambda row: int(row["frame"]))


def events(frames: Iterable[RawFrame]) -> list[Row]:
    """Return what collectors told, in order."""
    return [json.loads(frame.payload) for frame in frames if frame.topic == EVENTS]


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
