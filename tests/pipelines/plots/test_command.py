"""`liq plot` on a small warehouse: a valid file of the size asked for, each picture; and one line where there is nothing."""

import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from liq import app
from pipelines.derive.bars.run import rollup
from pipelines.derive.cascades.run import detect
from pipelines.plots.draw import palettes
from pipelines.plots.read.asking import Asked
from pipelines.plots.read.funding import funding
from pipelines.plots.read.interest import open_interest
from pipelines.plots.read.levels import Levels, heatmap, swept
from pipelines.plots.read.liquidations import totals
from pipelines.plots.read.realised import realised
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append, replace

NOON = datetime(2026, 11, 18, 12)  # noqa: DTZ001 the warehouse's times are UTC without a zone
END = NOON + timedelta(hours=2)
UNTIL = ("--until", f"{END:%Y-%m-%dT%H:%M}")
CONTRACT = {"venue": "bybit", "symbol": "BTCUSDT", "instrument": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT",
            "settle": "USDT", "contract": "linear", "kind": "perpetual"}  # fmt: skip
EVERY = [("heatmap",), ("heatmap", "--realised"), ("map",), ("totals",), ("cascade",), ("funding",), ("oi",)]
Liq = Callable[..., Result]


def frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = TABLES[table].schema
    return pl.DataFrame([{name: (CONTRACT | row).get(name) for name in schema} for row in rows], schema=schema)


def liquidation(number: int) -> dict[str, Any]:
    """Every 5 minutes one, and thirty in one minute at 13:00: longs on Bybit, every third a short on Binance."""
    at = NOON + (timedelta(minutes=5 * number) if number < 24 else timedelta(hours=1, seconds=number - 24))
    side = {"position_side": "short", "venue": "binance", "completeness": "one_per_second_latest", "price": 102.0}
    return {
        "ts_event": at, "position_side": "long", "completeness": "all", "price": 98.0, "price_kind": "bankruptcy",
        "notional_usd": 20_000.0 if number < 24 else 200_000.0, "qty_base": 200.0, "event_key": number, "occurrence": 0,
    } | (side if number % 3 == 0 else {})  # fmt: skip


def level(at: datetime, side: str, leverage: float, price: float) -> dict[str, Any]:
    return {
        "ts": at, "position_side": side, "leverage": leverage, "bin": int(price), "price_low": price - 0.5,
        "price_high": price + 0.5, "price": price, "qty_base_estimated": 1.0, "usd_estimated": price * leverage,
        "price_now": 100.0, "distance": price / 100 - 1, "contracts": 1, "venues": "bybit", "since": NOON,
        "bars_share": 0.9, "weights_from": "published",
    }  # fmt: skip


def fill(warehouse: Lake) -> None:
    minutes = [NOON + timedelta(minutes=number) for number in range(120)]
    described = {"valid_from": NOON, "ts_recv": NOON, "contract_size": 1.0, "multiplier": 1, "status": "Trading",
                 "interval_hours": 8.0}  # fmt: skip
    append(warehouse, {
        "instruments": frame("instruments", [described, described | {"venue": "okx", "symbol": "BTC-USDT-SWAP"}]),
        "liquidations": frame("liquidations", [liquidation(number) for number in range(54)]),
        "klines": frame("klines", [{"ts_event": at, "interval": "1m", "price_kind": "trade", "open": 100.0, "high": 101.0,
                                    "low": 99.0, "close": 100.0, "closed": True} for at in minutes]),
        "funding_rates": frame("funding_rates", [{"ts": at, "ts_event": at, "funding_rate": 1e-4, "interval_hours": 8.0}
                                                 for at in minutes]),
        "funding_settlements": frame("funding_settlements", [{"ts_event": NOON + timedelta(hours=1), "funding_rate": 1e-4,
                                                              "interval_hours": 8.0}]),
        "open_interest": frame("open_interest", [{"ts": at, "ts_event": at, "sides": "one", "oi_unit": "base", "oi_raw": 5e6,
                                                  "oi_base": 5e6, "oi_usd": 5e8} for at in minutes]),
    })  # fmt: skip
    columns = [NOON + timedelta(hours=hours) for hours in (0, 1, 2)]
    levels = [
        level(at, *where)
        for at in columns
        for where in (("long", 10.0, 95.0), ("long", 25.0, 97.0), ("short", 10.0, 105.0))
    ]
    replace(warehouse, "liquidation_levels", frame("liquidation_levels", levels), "FALSE")
    rollup(warehouse)
    detect(warehouse, NOON, END, END)


@pytest.fixture(scope="module")
def world(empty_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("plotted")
    copied(empty_world, made)
    with lake.open(made, read_only=False) as warehouse:
        fill(warehouse)
    return made


@pytest.fixture
def liq(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Liq:
    """Run `liq plot` in that world, in an empty working directory."""
    monkeypatch.setenv("LIQ_DATA", str(world))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["plot", *words])


def written(result: Result) -> Path:
    assert result.exit_code == 0, result.output + result.stderr
    return Path(result.stdout.strip())


@pytest.mark.parametrize("picture", EVERY, ids=" ".join)
def test_each_picture_is_a_png_of_the_size_asked_for(liq: Liq, picture: tuple[str, ...]) -> None:
    found = written(liq(*picture, *UNTIL, "--size", "900x500", "--dpi", "80"))
    assert found.suffix == ".png"
    head = found.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:24]) == (900, 500)


@pytest.mark.parametrize("picture", EVERY, ids=" ".join)
def test_each_picture_is_an_svg_that_says_its_venues_and_time(liq: Liq, picture: tuple[str, ...]) -> None:
    found = written(liq(*picture, *UNTIL, "--output", "it.svg", "--size", "720x432", "--dpi", "72"))
    root = ET.parse(found).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (root.get("width"), root.get("height")) == ("720pt", "432pt")
    said = " ".join(root.itertext())
    for text in (
        "Venues: ",
        "bybit",
        "UTC",
        "2026-11-18",
        "USD" if picture[0] != "funding" else "per 8 h",
    ):
        assert text in said
    assert re.findall("Missing: nothing from (.*?)\\s*[·\n]", said) == [
        "okx"
    ]  # collected, and silent; no other is collected


def test_an_unscored_map_says_so(liq: Liq) -> None:
    assert "Not scored yet" in written(liq("map", *UNTIL, "-o", "map.svg")).read_text()


@pytest.mark.parametrize("picture", EVERY, ids=" ".join)
def test_an_empty_selection_is_one_line_and_no_file(liq: Liq, tmp_path: Path, picture: tuple[str, ...]) -> None:
    result = liq(*picture, "--base", "BTC", "--until", "2020-01-01")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"liq plot {picture[0]}: nothing to draw: no ")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_the_future_ends_at_the_last_data(world: Path) -> None:
    """Nobody knows what comes: neither the axis nor a cell goes on beyond what is known."""
    asked = Asked("BTC", None, NOON, datetime(2190, 1, 1))  # noqa: DTZ001
    with lake.open(world) as warehouse:
        levels = heatmap(warehouse, asked, 0.2)
        others = [read(warehouse, asked).told for read in (totals, realised, funding, open_interest)]
    assert levels.told.until == END
    assert max(levels.cells["ts_end"]) <= END
    assert all(NOON < told.until <= END + timedelta(minutes=2) for told in others)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_an_option_and_a_setting(liq: Liq, monkeypatch: pytest.MonkeyPatch, theme: str) -> None:
    asked = written(liq("totals", *UNTIL, "-o", "asked.svg", "--theme", theme)).read_text()
    monkeypatch.setenv("LIQ_THEME", theme)
    assert written(liq("totals", *UNTIL, "-o", "set.svg")).read_text() == asked
    assert (palettes.DARK.paper in asked) == (theme == "dark")


@pytest.mark.parametrize(
    ("words", "why"),
    [(("totals", "--size", "9x9"), "--size 9x9"), (("totals", "-o", "it.jpg"), ".jpg"),
     (("heatmap", "--instrument", "BTC/USDT:USDT"), "--realised"),
     (("totals", "--since", "2026-11-19", "--until", "2026-11-18"), "the time is empty")],
)  # fmt: skip
def test_wrong_options_are_refused_with_exit_code_2(liq: Liq, words: tuple[str, ...], why: str) -> None:
    result = liq(*words)
    assert result.exit_code == 2
    assert why in result.stderr


def test_the_palette_setting_changes_the_colours(liq: Liq, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = written(liq("totals", *UNTIL, "-o", "seed.svg")).read_text()
    monkeypatch.setenv("LIQ_PALETTE", "colourblind")
    other = written(liq("totals", *UNTIL, "-o", "other.svg")).read_text()
    again = written(liq("totals", *UNTIL, "-o", "again.svg", "--palette", "seed")).read_text()
    assert "#d63a2f" in seed
    assert "#d63a2f" not in other
    assert again == seed


def test_totals_are_those_of_the_view(world: Path) -> None:
    with lake.open(world) as warehouse:
        drawn = totals(warehouse, Asked("BTC", None, NOON, END)).bars
        view = warehouse.connection.execute(
            "SELECT position_side, sum(usd) FROM liquidations_by_minute WHERE base = 'BTC' GROUP BY ALL"
        ).fetchall()
    assert dict(drawn.group_by("position_side").agg(pl.col("usd").sum()).rows()) == pytest.approx(dict(view))
    assert drawn.filter(pl.col("position_side") == "short")["complete_usd"].sum() == 0


def test_a_longer_time_gives_the_same_totals_from_the_bars_of_an_hour(world: Path) -> None:
    late = END + timedelta(days=5)
    with lake.open(world) as warehouse:
        short = totals(warehouse, Asked("BTC", None, NOON, END)).bars
        long = totals(warehouse, Asked("BTC", None, NOON - timedelta(days=5), late)).bars
    assert short["usd"].sum() == long["usd"].sum()


def test_the_heatmap_draws_the_views_usd_and_each_side_stays_on_its_side_of_the_price(world: Path) -> None:
    with lake.open(world) as warehouse:
        found = heatmap(warehouse, Asked("BTC", None, None, END), 0.2)
        view = warehouse.connection.execute("SELECT sum(usd_estimated) FROM liquidation_heatmap").fetchall()
    assert found.cells["usd"].sum() == pytest.approx(view[0][0])
    below = found.cells["price_high"] < found.cells["price_then"]
    assert (below == (found.cells["position_side"] == "long")).all()


def drawn(world: Path, until: datetime | None = None, as_of: datetime = END) -> Levels:
    with lake.open(world) as warehouse:
        warehouse.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [as_of])
        return heatmap(warehouse, Asked("BTC", None, None, until), 0.2)


def test_the_heatmap_is_not_drawn_into_the_future(world: Path) -> None:
    for minutes in (0, 3, 20):
        found = drawn(world, as_of=END - timedelta(minutes=minutes))
        assert found.told.until <= END - timedelta(minutes=minutes)
        assert found.cells["ts_end"].max() <= found.told.until  # type: ignore[operator]


def test_a_heatmap_of_long_ago_ends_at_its_last_data_and_says_that_its_map_is_stale(world: Path) -> None:
    found = drawn(world, as_of=END + timedelta(hours=6))
    assert found.told.until == END
    assert any(note.startswith("STALE: the map is 6 h 0 min old") for note in found.told.notes)
    assert any("nothing after" in note for note in found.told.notes)


def test_a_cell_ends_where_the_price_reached_it() -> None:
    cells = pl.DataFrame(
        [(NOON, "long", 97.0, 98.0), (NOON, "long", 95.0, 96.0), (NOON, "short", 102.0, 103.0), (END, "long", 97.0, 98.0)],
        ["ts", "position_side", "price_low", "price_high"], orient="row",
    ).with_columns(
        ts_end=pl.col("ts") + timedelta(hours=2),
        freshness=pl.when(pl.col("ts") == END).then(pl.lit("FRESH")).otherwise(pl.lit("PAST")),
    )  # fmt: skip
    hours = [NOON + timedelta(hours=number) for number in range(4)]
    bars = pl.DataFrame({"ts": hours, "low": [1.0, 97.5, 99.0, 1.0], "high": [900.0, 101.0, 102.0, 900.0]})
    ends = swept(cells, bars)["ts_end"].to_list()
    assert ends == [hours[1], END, END, END + timedelta(hours=2)]


def test_the_command_starts_without_matplotlib() -> None:
    code = "import sys, liq; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
