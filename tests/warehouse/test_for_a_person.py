"""A table on a terminal: the columns that count, in four digits, on one line each; and `liq sql --follow`."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from tests.warehouse.made import copied
from tests.warehouse.test_query_cli import Maker
from warehouse import lake
from warehouse.cells import for_a_person
from warehouse.fitting import fitting
from warehouse.follow import follow
from warehouse.formats import Format
from warehouse.lake import Lake
from warehouse.query import run
from warehouse.shown import show, show_titled
from warehouse.writer import append

NOON = datetime(2026, 10, 10, 12)  # noqa: DTZ001
WIDE = """
SELECT TIMESTAMP '2026-10-10 12:00:00.5' + to_seconds(range) AS ts_start, 'BTC' AS base, 'long' AS position_side,
    23259541.123456 AS usd, 11.0501234 AS seconds, NULL::DOUBLE AS multiple, -0.112241234 AS move,
    'a long name of something' AS venues,
    'one_per_second_disputed, partial' AS completeness, true AS lower_bound, 0.96123456 AS coverage_share,
    0.8702 AS saturated_share, 'v1:all:BTC:2026-10-10' AS cascade_id
FROM range(3)
"""


def _shown(reader: Lake, sql: str, width: int, *, everything: bool = False) -> str:
    out = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    show(run(reader, sql), out, everything=everything)
    return out.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.fixture(scope="module")
def reader(made_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lake.Lake]:
    with lake.open(copied(made_once, tmp_path_factory.mktemp("read"))) as opened:
        yield opened


@pytest.mark.parametrize("width", [70, 80, 120])
def test_how_far_to_trust_a_row_is_never_what_is_too_wide(reader: Lake, width: int) -> None:
    told = _shown(reader, WIDE, width)
    lines = told.splitlines()
    assert max(map(len, lines)) <= width
    heading = " ".join(lines[:2])
    for part in ("lower_", "coverage_", "usd", "base"):
        assert part in heading, part
    assert "cascade_id" in told.replace("\n", " "), "what does not fit is named"
    assert "12:00:01" in told
    assert len([line for line in lines if "23,259,541" in line]) == 3, "no row takes two lines"


def test_numbers_have_four_digits_shares_are_percent_and_empty_columns_are_left_out(reader: Lake) -> None:
    told = _shown(reader, WIDE, 200)
    for cell in ("23,259,541 ", "11.05 ", "-11.22 %", "96.12 %", "87.02 %", "yes"):
        assert cell in told, cell
    assert "without a value: multiple" in told
    assert "0.9612" not in told


def test_all_shows_everything_with_all_its_digits(reader: Lake) -> None:
    told = _shown(reader, WIDE, 80, everything=True)
    assert told.count("0.96123456") == 3
    for name in ("multiple", "cascade_id", "11.0501234"):
        assert name in told
    assert "too wide" not in told


def test_times_show_what_is_not_always_zero() -> None:
    def cells(*times: datetime) -> list[str]:
        return for_a_person("ts", pl.Series(times, dtype=pl.Datetime("us")))

    assert cells(NOON, NOON + timedelta(hours=1)) == ["2026-10-10 12:00", "2026-10-10 13:00"]
    assert cells(NOON + timedelta(milliseconds=5)) == ["2026-10-10 12:00:00"]
    assert cells(NOON.replace(hour=0)) == ["2026-10-10"]


def test_small_and_large_numbers_keep_their_digits() -> None:
    found = for_a_person("price", pl.Series([58_593.25, 2.30712, 0.0000123456, 0.0, float("nan"), 1e-12, None]))
    assert found == ["58,593", "2.307", "0.00001235", "0", "nan", "1.000e-12", ""]
    assert for_a_person("funding_rate", pl.Series([-0.00099834])) == ["-0.09983 %"]
    assert for_a_person("change_usd", pl.Series([0.5])) == ["0.5"], "dollars are no fraction"


def test_names_are_broken_before_a_column_is_left_out() -> None:
    found = fitting({"position_side": ["long"], "coverage_share": ["96 %"]}, 25)
    assert [column.heading for column in found] == ["position_\nside", "coverage_\nshare"]
    assert [column.heading for column in fitting({"position_side": ["long"]}, 80)] == ["position_side"]


def test_a_titled_table_without_rows_is_one_line(reader: Lake) -> None:
    out = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    show_titled(out, "Cascades, the largest of them all in the last seven days", run(reader, "FROM cascades_recent"))
    assert out.file.getvalue().splitlines()[1] == "  nothing yet"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        (Format.JSONL, lambda lines: [json.loads(line)["event_key"] for line in lines]),
        (Format.CSV, lambda lines: [int(line.split(b",")[0]) for line in lines[1:]]),
        (Format.TABLE, lambda lines: [int(line.split()[0]) for line in lines[1:]]),
    ],
)
def test_follow_prints_each_new_row_once(
    writer: Lake,
    world: Path,
    liquidations: Maker,
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
    kind: Format,
    read: Callable[[list[bytes]], list[int]],
) -> None:
    append(writer, {"liquidations": liquidations(2)})
    arrived = threading.Event()

    def sleep(_: float) -> None:
        if not arrived.is_set():
            append(writer, {"liquidations": liquidations(1, first=2)})
            arrived.set()

    monkeypatch.setattr("warehouse.follow.time.sleep", sleep)
    with lake.open(world) as opened:
        follow(opened, "SELECT event_key, ts_event FROM liquidations ORDER BY 1", kind, looks=3)
    assert read(capfdbinary.readouterr().out.splitlines()) == [0, 1, 2]
