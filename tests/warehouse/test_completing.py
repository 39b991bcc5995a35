"""The Tab key in `liq shell`."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from warehouse.completing import Completer
from warehouse.lake import Lake


@pytest.mark.parametrize(
    ("before", "text", "some", "none"),
    [
        ("", ".s", [".schema"], [".tables"]),
        (".schema ", "liquidation_tot", ["liquidation_totals", "liquidation_totals_by_coin"], ["liquidations"]),
        ("", "liquidation_t", ["liquidation_totals"], ["liquidations"]),
        ("from ", "rs", ["rsi(", "rsi_current"], []),
        ("FROM ", "", ["liquidations", "heatmap("], ["select", "venue"]),
        ("from liquidation_totals where ", "cover", ["coverage_share"], []),
        ("from liquidation_totals where ", "le", [], ["leverage"]),
        ("select ", "event_k", ["event_key"], []),
        ("select l.usd from liquidation_totals as l where ", "l.us", ["l.usd"], []),
        ("from liquidation_totals ", "WHE", ["where"], []),
    ],
)
def test_a_word_is_completed_by_what_may_stand_there(
    writer: Lake, before: str, text: str, some: list[str], none: list[str]
) -> None:
    found = Completer(writer).matches(text, before)
    assert set(some) <= set(found)
    assert set(found).isdisjoint(none)


def test_a_table_of_an_earlier_line_counts(writer: Lake) -> None:
    assert Completer(writer, ["from liquidation_totals"]).matches("coverage_s", "where ") == ["coverage_share"]


def test_tab_completes_a_view_on_a_terminal(writer: Lake, world: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    env = os.environ | {"LIQ_DATA": str(world), "TERM": "xterm", "HOME": str(tmp_path / "home")}
    process = subprocess.Popen(
        [sys.executable, "-m", "liq", "shell"], stdin=theirs, stdout=theirs, stderr=theirs, env=env
    )
    os.close(theirs)
    seen = b""

    def until(word: bytes) -> None:
        nonlocal seen
        while word not in seen:
            seen += os.read(ours, 4096)

    until(b"liq> ")
    os.write(ours, b"select count(*) as found from liquidation_totals_by_c\t;\n")
    until(b"liquidation_totals_by_coin")
    until(b"1 row")
    os.write(ours, b".quit\n")
    assert process.wait() == 0
    os.close(ours)
