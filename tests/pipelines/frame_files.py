"""Frames written for the project, tests/frames/<venue>/X.jsonl, and what they must give, X.expected.jsonl.

An expected line is a row of line N ({"line": N, "table": ..., some columns}) or a remark on it ({"line": N, "remark": part}),
rows and remarks each in their order, none missing. `rest_X~SYMBOL.jsonl` holds answers of channel X that were asked for a
symbol. `instruments.jsonl` beside them is the venue's own list of contracts, where it has one.
"""

import io
import json
from pathlib import Path
from typing import Any

from collectors.envelope import RawFrame
from pipelines.commands.parse import options_of, read_instruments, run
from pipelines.venues import VENUES

FRAMES = Path(__file__).parents[1] / "frames"


def frame_files(venue: str) -> list[Path]:
    """Return the venue's files of frames that have expected rows beside them."""
    return sorted(path for path in (FRAMES / venue).glob("*.jsonl") if path.with_suffix(".expected.jsonl").exists())


def own_frames(recv_ns: int = 1_790_000_000_000_000_000) -> list[RawFrame]:
    """Return every line of every file of every venue as a frame, of the channel it names or its file does."""
    found = []
    for venue in VENUES.values():
        for path in frame_files(venue.name):
            for line in path.read_bytes().splitlines():
                asked = path.stem.startswith("rest_")
                named = None if asked else venue.channel_of(line)
                channel = path.stem.removeprefix("rest_").partition("~")[0] if asked else named and named.channel
                if channel:
                    of = path.stem.partition("~")[2] or "BTC-USDT-SWAP"
                    n, symbol, transport = len(found), of if asked else "*", "rest" if asked else "ws"
                    at = (f"{venue.name}-test-1-a", "test", "live", n, line, "raw.x", 2, n + 10)
                    found.append(RawFrame(venue.name, channel, symbol, transport, recv_ns, *at))  # type: ignore[arg-type]
    return found


def given_and_expected(path: Path) -> tuple[list[Any], list[Any]]:
    """Read a file of frames as `liq parse` does; return what it gave, by the columns that are expected, and what it must."""
    expected = [json.loads(line) for line in path.with_suffix(".expected.jsonl").read_text().splitlines()]
    channel, _, symbol = path.stem.partition("~")
    rest = channel if channel.startswith("rest_") else None
    options = options_of(path.parent.name, str(path), rest, symbol or None)
    book = read_instruments(options.venue, sorted(path.parent.glob("instruments.jsonl")))
    out, remarks = io.BytesIO(), list[str]()
    run(options, book, out, remarks.append)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    rows_expected = [line for line in expected if "remark" not in line]
    remarks_expected = [(line["line"], line["remark"]) for line in expected if "remark" in line]
    return [*_rows(rows, rows_expected), *_remarks(remarks, remarks_expected)], [*rows_expected, *remarks_expected]


def _rows(rows: list[dict[str, Any]], expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = [*(line.keys() for line in expected), *([("line", "table", "symbol")] * len(rows))]
    return [
        {name: row["seq"] if name == "line" else row[name] for name in names}
        for row, names in zip(rows, wanted, strict=False)
    ]


def _remarks(remarks: list[str], expected: list[tuple[int, str]]) -> list[tuple[int, str]]:
    given = [(int(remark.split(":", 2)[1]), remark.split(": ", 1)[1]) for remark in remarks]
    padded = [*expected, *([(0, "")] * len(given))]
    return [
        (line, part if part and part in text else text) for (line, text), (_, part) in zip(given, padded, strict=False)
    ]
