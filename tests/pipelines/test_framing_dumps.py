"""Files of a venue's bulk downloads are known by their lines and read whole."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipelines.framed import (
    SNAPSHOT,
    read,
)

METRICS = (
    b"create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    b"sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
    b"2026-10-01 00:05:00,BTCUSDT,79000.1,5000000000.1,1.5,1.2,1.7,0.9\n2026-10-01 00:10:00,BTCUSDT,1.5,,,,,\n"
)
FUNDING = b"calc_time,funding_interval_hours,last_funding_rate\n1790812800003,4,-0.00010000\n"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("any", METRICS, [("open_interest", "BTCUSDT")] * 2 + [("long_short_ratios", "BTCUSDT")] * 4),
        ("BTCUSDT-fundingRate-2026-10.csv", FUNDING, [("funding_settlements", "BTCUSDT")]),
        ("any", FUNDING, [("funding_settlements", "?")]),
        ("BTCUSD_PERP-liquidationSnapshot-2023-06-25.csv", SNAPSHOT, [("liquidations", "BTCUSD_PERP")]),
    ],
)
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_dump_file_is_known_by_its_lines_and_read_whole(
    tmp_path: Path,
    name: str,
    text: bytes,
    expected: list[tuple[str, str]],
    header: bool,
    pack: Callable[[bytes], bytes],
) -> None:
    rows, remarks = read(tmp_path / name, "binance", pack(text if header else text.partition(b"\n")[2]))
    assert [(row["table"], row["symbol"]) for row in rows] == expected
    assert remarks == []


@pytest.mark.parametrize("bad", [b"1790812800003,4,\xff", b"\xe4,4,0.1", b"1790812800003,4,0.1\x00", b'1790812800003,4,"',
                                 b"1790812800003,4", b"1790812800003,4,1e999", b"," * 300_000])  # fmt: skip
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_one_bad_line_of_a_dump_costs_one_line(
    tmp_path: Path, bad: bytes, header: bool, pack: Callable[[bytes], bytes]
) -> None:
    line = FUNDING.splitlines()[1]
    data = b"\n".join([*FUNDING.splitlines()[: 2 if header else 0], line, bad, line])
    rows, remarks = read(tmp_path / "BTCUSDT-fundingRate-2026-10.csv", "binance", pack(data))
    assert len(rows) == (3 if header else 2)
    assert len(remarks) == 1
    assert "dead letter: rows[" in remarks[0]


def test_a_dump_that_is_cut_in_its_gzip_gives_what_came_before(tmp_path: Path) -> None:
    data = gzip.compress(FUNDING + FUNDING.splitlines(keepends=True)[1] * 3000)[:-30]
    rows, remarks = read(tmp_path / "BTCUSDT-fundingRate-2026-10.csv.gz", "binance", data)
    assert len(rows) > 500
    assert any("gzip ends too early" in remark for remark in remarks)
