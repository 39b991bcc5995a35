"""Frames as exchanges sent them, read where they lie beside the project (../shared/recordings); skipped where not."""

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.columns.contracts.instruments import Instruments
from pipelines.commands.parse import options_of, read_instruments, run

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
INSTRUMENTS = {"binance": "rest_cm_exchangeInfo.jsonl", "okx": "rest_instruments.jsonl"}
VENUES = ("binance", "bybit", "okx")
LIQUIDATIONS = re.compile(r"\| (?P<file>\S+\.jsonl):(?P<line>\d+) \| (?P<symbol>\S+) \| (?P<side>LONG|SHORT)[^|]* \| "
                          r"(?P<base>[\d.]+) \| (?P<price>[\d.]+) \| (?P<usd>[\d.]+)[^|]* \| (?P<ms>\d+) \|")  # fmt: skip

pytestmark = pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS}")


def _files() -> list[Path]:
    return [path for venue in VENUES for path in sorted((RECORDINGS / venue).glob("*.jsonl"))]


def _read(path: Path, with_instruments: bool = False) -> tuple[int, list[dict[str, Any]], list[str]]:
    options = options_of(path.parent.name, str(path), None, None)
    book, lists = Instruments(), INSTRUMENTS.get(path.parent.name)
    if with_instruments and lists:
        book = read_instruments(options.venue, [path.with_name(lists)])
    out, remarks = io.BytesIO(), list[str]()
    code = run(options, book, out, remarks.append)
    return code, [json.loads(line) for line in out.getvalue().splitlines()], remarks


@pytest.mark.parametrize("path", _files(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_line_gives_rows_or_is_named_with_a_reason(path: Path) -> None:
    code, rows, remarks = _read(path)
    lines = [number for number, line in enumerate(path.read_bytes().splitlines(), 1) if line.strip()]
    named = {int(remark.removeprefix(f"{path}:").split(":", 1)[0]) for remark in remarks}
    assert {row["seq"] for row in rows} | named == set(lines)
    assert code == any("dead letter" in remark for remark in remarks)


def _expected(venue: str) -> list[dict[str, str]]:
    readme = RECORDINGS / venue / "README.md"
    return [found.groupdict() for found in LIQUIDATIONS.finditer(readme.read_text())] if readme.is_file() else []


@pytest.mark.parametrize("venue", VENUES)
def test_liquidations_are_what_the_readme_expects(venue: str) -> None:
    expected = _expected(venue)
    assert len(expected) == {"binance": 6, "bybit": 8, "okx": 2}[venue]
    for file in {line["file"] for line in expected}:
        code, rows, remarks = _read(RECORDINGS / venue / file, with_instruments=True)
        of_file = [line for line in expected if line["file"] == file]
        assert (code, remarks, len(rows)) == (0, [], len(of_file))
        for row, line in zip(rows, of_file, strict=True):
            assert (row["seq"], row["symbol"]) == (int(line["line"]), line["symbol"])
            assert row["position_side"] == line["side"].lower()
            assert row["order_side"] == {"long": "sell", "short": "buy"}[row["position_side"]]
            assert row["price"] == float(line["price"])
            assert row["qty_base"] == pytest.approx(float(line["base"]), abs=10 ** -len(line["base"].partition(".")[2]))
            assert row["notional_usd"] == pytest.approx(float(line["usd"]), abs=5.1e-5)
            assert row["ts_event"] == _iso(int(line["ms"]))


def _iso(ms: int) -> str:
    seconds = datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{seconds}.{ms % 1000:03}000Z"


def test_the_delta_with_a_cut_time_stamp_is_the_only_dead_ticker() -> None:
    _, _, remarks = _read(RECORDINGS / "bybit" / "tickers.jsonl")
    assert [remark.split(": ", 1)[1] for remark in remarks if "dead letter" in remark] == [
        "dead letter: time stamp 171575661221 is not in milliseconds since 1970"
    ]


def test_an_answer_that_does_not_name_its_symbol_is_read_with_one_given() -> None:
    path = RECORDINGS / "okx" / "rest_rubik_taker-volume-contract.jsonl"
    out = io.BytesIO()
    assert run(options_of("okx", str(path), None, "BTC-USDT-SWAP"), Instruments(), out, print) == 0
    assert [json.loads(line)["long_volume"] for line in out.getvalue().splitlines()] == [380.0, 300.0]
