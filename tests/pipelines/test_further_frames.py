"""Frames of the venues that are not among the usual ones: those written for the project, and recorded ones (skipped where
there are none beside the project): every line a row, a dead letter or a named nothing, and liquidations read as expected."""

import io
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from collectors.venues.known import RECORDS
from pipelines.columns.contracts.instruments import Instruments
from pipelines.commands.parse import options_of, read_instruments, run
from tests.pipelines.frame_files import frame_files, given_and_expected

FURTHER = [name for name, record in RECORDS.items() if not record.is_usual]
RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
FOLDERS = {
    "gateio": "gateio-futures",
    "kraken": "kraken-futures",
    "dydx": "dydx-v4",
    "kucoin": "kucoin-futures",
    "cryptocom": "crypto-com",
}
LISTS = {
    "gateio": "rest_contracts.jsonl",
    "htx": "rest_swap_contract_info.jsonl",
    "bitmex": "rest_instrument-active.jsonl",
}
ROW = re.compile(
    r"^\| (?P<folder>[\w-]+)/(?P<file>[\w-]+\.jsonl):(?P<line>\d+)(?: \[(?P<index>\d+)\])? \|(?P<cells>.*)\|$", re.M
)
recorded = pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS}")


class Reading(NamedTuple):
    """What a recorded line must give: its symbol, and as text the side, coins, price and USD; other text: not compared."""

    venue: str
    path: Path
    line: int
    place: int
    cells: list[str]


def readings() -> list[Reading]:
    """Return the expected readings beside the recordings."""
    told = RECORDINGS / "README-other-venues.md"
    text = told.read_text() if told.is_file() else ""
    of_folder = {FOLDERS.get(name, name): name for name in FURTHER}
    return [
        Reading(of_folder[row["folder"]], RECORDINGS / row["folder"] / row["file"], int(row["line"]), place, cells)
        for row in ROW.finditer(text)
        if row["folder"] in of_folder
        for place, cells in each_of(row["cells"], int(row["index"] or 0))
    ]


def each_of(cells: str, place: int) -> list[tuple[int, list[str]]]:
    """Return the cells of each liquidation of a line, by its place: a cell may have one value, or one of each (a; b)."""
    parts = [[part.strip() for part in cell.split(";")] for cell in cells.split("|")]
    several = max(map(len, parts[2:6]))
    return [(place + n, [part[min(n, len(part) - 1)] for part in parts]) for n in range(several)]


def read(venue: str, path: Path) -> tuple[int, list[dict[str, Any]], list[str]]:
    """Read a recorded file as `liq parse` does, with the venue's recorded list of contracts where there is one."""
    options = options_of(venue, str(path), None, None)
    listed = RECORDINGS / FOLDERS.get(venue, venue) / LISTS.get(venue, "-")
    book = read_instruments(options.venue, [listed]) if listed.is_file() else Instruments()
    out, remarks = io.BytesIO(), list[str]()
    code = run(options, book, out, remarks.append)
    return code, [json.loads(line) for line in out.getvalue().splitlines()], remarks


def number(cell: str) -> float | None:
    """Return the number of a cell; None of words."""
    return float(cell) if re.fullmatch(r"[\d.]+", cell) else None


@pytest.mark.parametrize(
    "path", [p for name in FURTHER for p in frame_files(name)], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_frames_give_the_rows_kept_beside_them(path: Path) -> None:
    given, expected = given_and_expected(path)
    assert given == expected


def test_every_further_venue_has_frames_of_its_liquidations() -> None:
    assert [name for name in FURTHER if not frame_files(name)] == []


@recorded
@pytest.mark.parametrize(
    ("venue", "path"),
    [(name, path) for name in FURTHER for path in sorted((RECORDINGS / FOLDERS.get(name, name)).glob("*.jsonl"))],
    ids=lambda value: value if isinstance(value, str) else value.stem,
)
def test_every_recorded_line_gives_rows_or_is_named_with_a_reason(venue: str, path: Path) -> None:
    code, rows, remarks = read(venue, path)
    lines = {number for number, line in enumerate(path.read_bytes().splitlines(), 1) if line.strip()}
    named = {int(remark.removeprefix(f"{path}:").split(":", 1)[0]) for remark in remarks}
    assert {row["seq"] for row in rows} | named == lines
    assert code == any("dead letter" in remark for remark in remarks)
    assert not [remark for remark in remarks if "parser failed" in remark or "no channel" in remark]


@recorded
@pytest.mark.parametrize("told", readings(), ids=lambda told: f"{told.venue}-{told.path.stem}-{told.line}-{told.place}")
def test_recorded_liquidations_are_what_the_readme_expects(told: Reading) -> None:
    _, rows, _ = read(told.venue, told.path)
    of_line = [row for row in rows if row["seq"] == told.line and row["table"].startswith("liquidation")]
    symbol, side, _, base, price, usd = told.cells[:6]
    row = of_line[min(told.place, len(of_line) - 1)]  # a place counts trades that are no liquidations, too
    assert row["symbol"] == symbol.partition(" ")[0]
    wanted = side.split(",")[0].lower()
    assert row["position_side"] == (wanted if wanted in ("long", "short") else None)
    assert (row["order_side"] is None) == (row["position_side"] is None)
    assert row["null_reason"] or row["position_side"]
    for value, cell in ((row["qty_base"], base), (row["price"], price.split()[-1]), (row["notional_usd"], usd)):
        if (wanted_number := number(cell)) is not None:
            assert value == pytest.approx(wanted_number, rel=1e-6)
