"""Drawing: what is in the figure is what was in the frames; sides, colours and words are where they belong."""

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from matplotlib.collections import PathCollection, PolyCollection, QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from pipelines.plots.draw import cascade, heatmap, levels, lines, numbers, totals
from pipelines.plots.draw.palettes import Palette, palette
from pipelines.plots.draw.sheet import Look
from pipelines.plots.settings import PaletteName
from pipelines.plots.told import Score, Told

NOON = datetime(2026, 11, 18, 12)  # noqa: DTZ001 the warehouse's times are UTC without a zone
HOUR = timedelta(hours=1)
TOLD = Told("BTC", NOON, NOON + 3 * HOUR, "bybit", ("Missing: nothing from okx",))
SCORE = Score("not clearly better than chance", NOON - 9 * HOUR, NOON, -0.1, 0.2, 0.05, 0.1, 0.2)
PRICES = pl.DataFrame(
    {"ts": [NOON, NOON + 2 * HOUR], "price": [100.0, 101.0], "low": [99.5, 100.5], "high": [100.5, 101.5]}
)
CELLS = pl.DataFrame(
    [(NOON, "long", 97.0, 98.0, 1e6), (NOON, "long", 98.0, 99.0, 4e6), (NOON, "short", 102.0, 103.0, 9e6),
     (NOON + HOUR, "long", 98.0, 99.0, 5e6), (NOON + HOUR, "short", 103.0, 104.0, 2e6)],
    ["ts", "position_side", "price_low", "price_high", "usd"], orient="row",
).with_columns(ts_end=pl.col("ts") + HOUR)  # fmt: skip
NAMES = list(PaletteName)
AGED = CELLS.with_columns(freshness=pl.when(pl.col("ts") > NOON).then(pl.lit("STALE")).otherwise(pl.lit("PAST")))


def look(name: str = "seed") -> Look:
    return Look(palette(name), 800, 500, 80)


def luminance(colour: object) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]  # type: ignore[arg-type]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: object, other: object) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def words(figure: Figure) -> str:
    return " ".join(" ".join(text.get_text() for text in figure.texts).split())


def mesh(figure: Figure, side: str) -> QuadMesh:
    return next(
        found for found in figure.axes[0].collections if isinstance(found, QuadMesh) and found.get_gid() == side
    )


def filled(found: QuadMesh) -> dict[tuple[float, float], float]:
    """The cells of a mesh that are filled: (number of its hour, lower price) to USD."""
    edges, values = found.get_coordinates(), np.ma.getdata(found.get_array()).reshape(np.shape(found.get_array()))
    hidden = np.ma.getmaskarray(found.get_array())
    return {
        (round((edges[0, x, 0] - edges[0, 0, 0]) * 24), edges[y, 0, 1]): values[y, x]
        for y in range(values.shape[0])
        for x in range(values.shape[1])
        if not hidden[y, x]
    }


def test_the_heatmaps_cells_carry_the_frames_usd_each_side_in_its_own_colour() -> None:
    figure = heatmap.predictive(CELLS, PRICES, SCORE, TOLD, look())
    assert filled(mesh(figure, "long")) == {(0, 97.0): 1e6, (0, 98.0): 4e6, (1, 98.0): 5e6}
    assert filled(mesh(figure, "short")) == {(0, 102.0): 9e6, (1, 103.0): 2e6}
    assert mesh(figure, "long").cmap == palette("seed").ramp("long")
    assert mesh(figure, "long").norm is mesh(figure, "short").norm
    (price,) = [line for line in figure.axes[0].get_lines() if line.get_gid() == "price"]
    assert list(price.get_ydata()) == [100.0, 101.0]


def test_the_newest_column_is_drawn_beside_the_heatmap_and_is_called_stale_where_it_is() -> None:
    figure = heatmap.predictive(AGED, PRICES, SCORE, TOLD, look())
    (strip,) = [axes for axes in figure.axes if axes.get_gid() == "now"]
    shown = [found for found in strip.collections if isinstance(found, QuadMesh)]
    assert [list(filled(found).values()) for found in shown] == [[5e6], [2e6]]
    assert strip.get_title() == "STALE"
    fresh = heatmap.predictive(
        AGED.with_columns(pl.col("freshness").replace("STALE", "FRESH")), PRICES, SCORE, TOLD, look()
    )
    assert [axes.get_title() for axes in fresh.axes if axes.get_gid() == "now"] == ["now"]
    assert not [axes for axes in heatmap.predictive(CELLS, PRICES, SCORE, TOLD, look()).axes if axes.get_gid() == "now"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", ["long", "short"])
def test_more_is_darker(name: str, side: str) -> None:
    figure = heatmap.predictive(CELLS, PRICES, SCORE, TOLD, look(name))
    drawn = mesh(figure, side)
    shown = [luminance(drawn.cmap(drawn.norm(usd))[:3]) for usd in np.linspace(0, 9e6, 60)]
    assert all(darker < lighter for lighter, darker in pairwise(shown))


@pytest.mark.parametrize(("name", "long", "short"), [("seed", 1, 0), ("opposite", 0, 1)])
def test_the_seeds_longs_are_green_and_its_shorts_red_and_the_opposite_palette_swaps_them(
    name: str, long: int, short: int
) -> None:
    colours = palette(name)
    for at in (0.4, 0.6, 0.8, 1.0):
        assert int(np.argmax(colours.ramp("long")(at)[:3])) == long
        assert int(np.argmax(colours.ramp("short")(at)[:3])) == short
    assert int(np.argmax(to_rgb(colours.long))) == long


def test_the_colour_blind_palette_tells_the_sides_apart_by_lightness_alone() -> None:
    colours: Palette = palette("colourblind")
    assert contrast(colours.long, colours.short) > 3
    for at in (0.2, 0.4, 0.6, 0.8, 1.0):
        assert contrast(colours.ramp("long")(at)[:3], colours.ramp("short")(at)[:3]) > 1.2


def test_the_palette_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert palette(None).name == "seed"
    monkeypatch.setenv("LIQ_PALETTE", "colourblind")
    assert palette(None).name == "colourblind"
    with pytest.raises(ValueError, match="pink"):
        palette("pink")


def test_what_is_measured_is_drawn_hollow_on_a_scale_of_its_own_and_named() -> None:
    measured = pl.DataFrame({"position_side": ["long", "long", "short"], "price_low": [95.0, 96.0, 104.0],
                             "price_high": [96.0, 97.0, 105.0], "usd": [5e5, 2e6, 1e6]})  # fmt: skip
    figure = levels.liquidation_map(BINS, 100.0, {"long": None, "short": None}, None, TOLD, look(), measured)
    axes = figure.axes[0]
    hollow = [bar for bar in axes.patches if str(bar.get_gid()).startswith("measured")]
    highest = max(bar.get_y() + bar.get_height() for bar in axes.patches if bar not in hollow)
    assert [(bar.get_x(), bar.get_height() / highest) for bar in hollow] == [
        (95.0, pytest.approx(0.15)), (96.0, pytest.approx(0.6)), (104.0, pytest.approx(0.3)),
    ]  # fmt: skip
    assert not any(bar.get_fill() for bar in hollow)
    named = [text.get_text() for found in figure.findobj(Legend) for text in found.get_texts()]
    assert [text for text in named if text.startswith("measured, highest")]


def test_the_score_stands_in_the_picture_when_it_is_bad_and_when_there_is_none() -> None:
    bad = words(heatmap.predictive(CELLS, PRICES, SCORE, TOLD, look()))
    for text in (
        "not clearly better than chance",
        "Rank correlation -0.10 (untouched 0.20)",
        "took 5%",
        "untouched 10%, uniform 20%",
    ):
        assert text in bad
    assert "Not scored yet" in words(heatmap.predictive(CELLS, PRICES, None, TOLD, look()))


def test_every_picture_says_its_subject_time_venues_unit_and_what_is_missing() -> None:
    said = words(heatmap.realised(CELLS, PRICES, TOLD, look()))
    for text in ("BTC", "2026-11-18 12:00 to 15:00 UTC", "USD", "Venues: bybit", "Missing: nothing from okx"):
        assert text in said


BINS = pl.DataFrame(
    [("long", 10.0, 95.0, 96.0, 3e6, 6e6), ("long", 50.0, 98.0, 99.0, 2e6, 3e6), ("long", 10.0, 98.0, 99.0, 1e6, 3e6),
     ("short", 10.0, 104.0, 105.0, 7e6, 7e6)],
    ["position_side", "leverage", "price_low", "price_high", "usd", "cumulative_usd"], orient="row",
)  # fmt: skip


def test_the_maps_bars_are_the_usd_longs_left_of_the_price_and_the_sums_grow_outward() -> None:
    figure = levels.liquidation_map(BINS, 100.0, {"long": 95.5, "short": None}, None, TOLD, look())
    bars = {
        (bar.get_gid(), bar.get_x()): (bar.get_y(), bar.get_height()) for bar in figure.axes[0].patches if bar.get_gid()
    }
    assert bars == {
        ("long 10x", 95.0): (0, 3e6), ("long 10x", 98.0): (0, 1e6), ("long 50x", 98.0): (1e6, 2e6),
        ("short 10x", 104.0): (0, 7e6)
    }  # fmt: skip
    assert all((x < 100.0) == name.startswith("long") for name, x in bars)
    sums = {
        line.get_gid(): list(zip(line.get_xdata(), line.get_ydata(), strict=True))
        for line in figure.axes[1].get_lines()
    }
    assert sums == {"sum long": [(98.0, 3e6), (95.0, 6e6)], "sum short": [(105.0, 7e6)]}
    marks = {line.get_gid(): line.get_xdata()[0] for line in figure.axes[0].get_lines()}
    assert marks == {"price": 100.0, "max pain long": 95.5}


def test_totals_go_up_for_shorts_and_down_for_longs_and_hatch_what_throttled_feeds_told() -> None:
    bars = pl.DataFrame(
        [(NOON, "long", 5.0, 2.0), (NOON, "short", 1.0, 0.0), (NOON + HOUR, "long", 0.0, 4.0)],
        ["ts", "position_side", "complete_usd", "throttled_usd"], orient="row",
    )  # fmt: skip
    coverage = pl.DataFrame({"ts": [NOON, NOON + HOUR], "coverage_share": [1.0, 0.5]})
    figure = totals.totals(bars, coverage, PRICES.clear(), HOUR, TOLD, look())
    drawn: dict[str, list[float]] = {}
    for bar in figure.axes[0].patches:
        drawn.setdefault(str(bar.get_gid()), []).append(getattr(bar, "get_height", lambda: 0.0)())
        assert (bar.get_hatch() is not None) == str(bar.get_gid()).endswith("lower bound")
    assert {name: values for name, values in drawn.items() if name != "gap"} == {
        "long complete": [-5, 0], "long lower bound": [-2, -4], "short complete": [1], "short lower bound": [0],
    }  # fmt: skip
    assert len(drawn["gap"]) == 1


def test_a_cascades_seconds_are_stacked_by_venue_and_its_time_is_shaded() -> None:
    second = timedelta(seconds=1)
    seconds = pl.DataFrame(
        [(NOON, "binance", "long", 5e5, 99.0), (NOON, "bybit", "long", 2e5, None),
         (NOON + second, "bybit", "short", 1e5, 101.0)],
        ["ts", "venue", "position_side", "usd", "price"], orient="row",
    )  # fmt: skip
    event = cascade.Event("v1:x", NOON, NOON + second, "long", 7e5, 3, 12.0, -0.021, True)
    told = TOLD._replace(until=NOON + 10 * second)
    figure = cascade.cascade(seconds, PRICES.select("ts", "price"), event, second, told, look())
    bars = {
        bar.get_gid(): (bar.get_y(), bar.get_height()) for bar in figure.axes[1].patches if bar.get_gid() != "cascade"
    }
    assert bars == {"long binance": (0, -5e5), "long bybit": (-5e5, -2e5), "short bybit": (0, 1e5)}
    paid = next(found for found in figure.axes[0].collections if isinstance(found, PathCollection))
    assert [y for _, y in paid.get_offsets()] == [99.0, 101.0]
    assert "at least $700K, 3 liquidations, 1.0 s, 12 times normal, price -2.10%" in words(figure)


def test_funding_has_a_line_a_venue_one_over_all_dots_for_what_was_paid_and_open_interest_below() -> None:
    both = {"ts": [NOON, NOON, NOON, NOON + HOUR], "venue": ["binance", "okx", None, None]}
    rates = pl.DataFrame(both | {"rate_8h": [1e-4, 3e-4, 2e-4, 2.5e-4]})
    paid = pl.DataFrame({"ts": [NOON], "venue": ["okx"], "rate_8h": [-1e-4]})
    interest = pl.DataFrame({"ts": [NOON, NOON + HOUR], "venue": ["okx", "okx"], "oi_usd": [1e9, 2e9]})
    figure = lines.funding(rates, paid, interest, TOLD, look())
    drawn = {line.get_gid(): list(line.get_ydata()) for line in figure.axes[0].get_lines() if line.get_gid()}
    assert drawn == {"binance": [1e-4], "okx": [3e-4], "weighted by open interest": [2e-4, 2.5e-4]}
    dots = next(found for found in figure.axes[0].collections if found.get_gid() == "paid okx")
    assert [y for _, y in dots.get_offsets()] == [-1e-4]
    area = next(found for found in figure.axes[1].collections if isinstance(found, PolyCollection))
    assert area.get_paths()[0].vertices[:, 1].max() == 2e9


def test_a_notebook_shows_a_picture_by_itself() -> None:
    shown = heatmap.realised(CELLS, PRICES, TOLD, look())._repr_png_()
    assert shown[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(shown[16:20]), int.from_bytes(shown[20:24])) == (800, 500)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "$0"), (950, "$950"), (1_234_567, "$1.23M"), (-4500, "-$4.5K"), (999_999, "$1M"), (2e9, "$2B"), (0.5, "$0.5")],
)
def test_dollars_are_short(amount: float, text: str) -> None:
    assert numbers.usd(amount) == text


@pytest.mark.parametrize(
    ("value", "text"), [(67123.4, "67,123"), (3456.7, "3,456.7"), (0.4321, "0.4321"), (8.5e-06, "0.0000085")]
)
def test_prices_have_about_five_digits(value: float, text: str) -> None:
    assert numbers.price(value) == text


def test_funding_keeps_the_digits_it_needs() -> None:
    assert [numbers.rate(value) for value in (0.0001, -2.5e-05, 0, -1e-9)] == ["0.01%", "-0.0025%", "0%", "0%"]


def tags(figure: Figure) -> list[str]:
    found = [text for axes in figure.axes for text in axes.texts if text.get_gid() == "price tag"]
    return [text.get_text() for text in found]


def test_the_tag_at_the_right_edge_is_the_price_there_and_none_of_long_before() -> None:
    lately = PRICES.with_columns(pl.col("ts") + HOUR)
    assert tags(heatmap.realised(CELLS, lately, TOLD, look())) == ["101"]
    old = pl.DataFrame({"ts": [NOON - 900 * HOUR, NOON - 899 * HOUR], **PRICES.drop("ts").to_dict(as_series=False)})
    wide = TOLD._replace(since=NOON - 1000 * HOUR)
    assert tags(heatmap.realised(CELLS, old, wide, look())) == []


@pytest.mark.parametrize("side", ["long", "short"])
def test_no_bar_touches_the_frame(side: str) -> None:
    """A side alone, and a last bar that goes on beyond the time that is shown."""
    bars = pl.DataFrame(
        [(NOON, side, 3e6, 1e6), (NOON + 2.5 * HOUR, side, 5e6, 0.0)],
        ["ts", "position_side", "complete_usd", "throttled_usd"], orient="row",
    )  # fmt: skip
    covered = pl.DataFrame({"ts": bars["ts"], "coverage_share": [1.0, 1.0]})
    figure = totals.totals(bars, covered, PRICES.clear(), HOUR, TOLD, look())
    axes = figure.axes[0]
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    boxes = [bar.get_bbox() for bar in axes.patches if str(bar.get_gid()).startswith(side)]  # type: ignore[attr-defined]
    assert len(boxes) == 4
    assert all(left < box.x0 and box.x1 < right and low < box.ymin and box.ymax < high for box in boxes)


def test_settled_funding_names_its_venues_where_no_line_does() -> None:
    rates = pl.DataFrame(schema={"ts": pl.Datetime("us"), "venue": pl.String, "rate_8h": pl.Float64})
    paid = pl.DataFrame(
        {"ts": [NOON, NOON, NOON + HOUR], "venue": ["bybit", "okx", "okx"], "rate_8h": [1e-4, 2e-4, 3e-4]}
    )
    held = pl.DataFrame(schema={"ts": pl.Datetime("us"), "venue": pl.String, "oi_usd": pl.Float64})
    figure = lines.funding(rates, paid, held, TOLD, look())
    shown = figure.axes[0].get_legend()
    assert shown is not None
    assert sorted(text.get_text() for text in shown.get_texts()) == ["paid, bybit", "paid, okx"]
