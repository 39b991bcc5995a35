"""A picture can be read: letters on their paper, tags beside ticks, whole points, times in full, one colour a thing."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from pipelines.plots.draw import cascade, heatmap, levels, lines, totals
from pipelines.plots.draw.heatmap import _ticks
from pipelines.plots.draw.palettes import THEMES, palette, theme
from pipelines.plots.draw.sheet import Look
from pipelines.plots.settings import PaletteName, ThemeName
from tests.pipelines.plots.test_draw import BINS, CELLS, HOUR, NOON, PRICES, SCORE, TOLD, contrast, luminance

SECOND = timedelta(seconds=1)
BARS = pl.DataFrame(
    [(NOON, "long", 5e6, 2e6), (NOON, "short", 1e6, 1e6), (NOON + HOUR, "long", 1e6, 4e6)],
    ["ts", "position_side", "complete_usd", "throttled_usd"], orient="row",
)  # fmt: skip
COVERAGE = pl.DataFrame({"ts": [NOON, NOON + HOUR], "coverage_share": [1.0, 0.5]})
SECONDS = pl.DataFrame(
    [(NOON + SECOND * n, venue, side, 1e5 * (n + 1), 100.0 - n)
     for n in range(4) for venue in ("binance", "bybit", "okx") for side in ("long", "short")],
    ["ts", "venue", "position_side", "usd", "price"], orient="row",
)  # fmt: skip
EVENT = cascade.Event("v1:x", NOON, NOON + 3 * SECOND, "long", 7e5, 3, 12.0, -0.021, True)
RATES = pl.DataFrame(
    [(NOON + HOUR * n, venue, 1e-4 * n) for venue in ("binance", "bybit", "okx", None) for n in (2, 3)],
    ["ts", "venue", "rate_8h"], orient="row",
)  # fmt: skip
PAID = pl.DataFrame(
    [(NOON, venue, 1e-4) for venue in ("binance", "bybit", "okx")], ["ts", "venue", "rate_8h"], orient="row"
)
INTEREST = pl.DataFrame(
    [(NOON + HOUR * n, venue, 1e9) for venue in ("binance", "bybit", "okx") for n in range(4)],
    ["ts", "venue", "oi_usd"], orient="row",
)  # fmt: skip
BRIEF_PRICES = PRICES.select("price", ts=pl.Series([NOON, NOON + 5 * SECOND]))
BRIEF = TOLD._replace(until=NOON + 5 * SECOND)

EVERY: dict[str, Callable[[Look], Figure]] = {
    "heatmap": lambda look: heatmap.predictive(CELLS, PRICES, SCORE, TOLD, look),
    "heatmap now": lambda look: heatmap.predictive(
        CELLS.with_columns(freshness=pl.lit("FRESH")), PRICES, None, TOLD, look
    ),
    "realised": lambda look: heatmap.realised(CELLS, PRICES, TOLD, look),
    "map": lambda look: levels.liquidation_map(BINS, 100.0, {"long": 95.5, "short": 104.5}, None, TOLD, look),
    "totals": lambda look: totals.totals(BARS, COVERAGE, PRICES, HOUR, TOLD, look),
    "cascade": lambda look: cascade.cascade(SECONDS, BRIEF_PRICES, EVENT, SECOND, BRIEF, look),
    "funding": lambda look: lines.funding(RATES, PAID, INTEREST, TOLD, look),
    "oi": lambda look: lines.open_interest(INTEREST, PRICES, TOLD, look),
}
pictures = pytest.mark.parametrize("picture", list(EVERY))
themes = pytest.mark.parametrize("name", list(ThemeName))


def look(name: str = "light", size: tuple[int, int] = (1200, 700)) -> Look:
    on = theme(name)
    return Look(palette("seed", on), *size, 90, on)


def drawn(picture: str, how: Look) -> Figure:
    figure = EVERY[picture](how)
    FigureCanvasAgg(figure).draw()
    return figure


@themes
@pictures
def test_every_letter_can_be_read_on_its_paper(picture: str, name: str) -> None:
    figure = drawn(picture, look(name))
    assert to_hex(figure.get_facecolor()) == THEMES[ThemeName(name)].paper
    for text in figure.findobj(Text):
        if text.get_text().strip() and text.get_visible():
            box = text.get_bbox_patch()
            paper = box.get_facecolor() if box else figure.get_facecolor()
            assert contrast(text.get_color(), paper[:3]) > 4.4, text.get_text()


@pytest.mark.parametrize("name", list(PaletteName))
@pytest.mark.parametrize("side", ["long", "short"])
def test_on_dark_paper_more_is_brighter_and_the_picture_says_so(name: str, side: str) -> None:
    on = theme("dark")
    ramp = palette(name, on).ramp(side)
    shown = [luminance(ramp(share)[:3]) for share in np.linspace(0, 1, 60)]
    assert all(darker < lighter for darker, lighter in pairwise(shown))
    assert shown[0] > luminance(on.paper)
    assert any("brighter is more" in text.get_text() for text in EVERY["realised"](look("dark")).texts)


@themes
def test_the_colour_blind_palette_differs_in_lightness_on_any_paper(name: str) -> None:
    colours = palette("colourblind", theme(name))
    assert contrast(colours.long, colours.short) > 3
    for at in (0.2, 0.4, 0.6, 0.8, 1.0):
        assert contrast(colours.ramp("long")(at)[:3], colours.ramp("short")(at)[:3]) > 1.2


@pytest.mark.parametrize("picture", ["heatmap", "heatmap now", "realised"])
@pytest.mark.parametrize("last", [97.0, 97.2, 100.0, 100.4, 104.0, 96.2, 107.0])
def test_the_price_tag_covers_no_tick_and_lies_beside_its_axis(picture: str, last: float) -> None:
    """Where the price is on a tick, near one, at the edge of the cells, and beyond them."""
    prices = PRICES.with_columns(price=pl.Series([100.0, last]))
    draw = heatmap.realised if picture == "realised" else None
    cells = CELLS.with_columns(freshness=pl.lit("FRESH")) if picture == "heatmap now" else CELLS
    figure = draw(cells, prices, TOLD, look()) if draw else heatmap.predictive(cells, prices, None, TOLD, look())
    FigureCanvasAgg(figure).draw()
    tag = next(text for text in figure.findobj(Annotation) if text.get_gid() == "price tag")
    box = tag.get_window_extent()
    axes = tag.axes
    assert axes is not None
    assert axes.bbox.y0 <= box.y0
    assert box.y1 <= axes.bbox.y1
    for text in figure.findobj(Text):
        if text is not tag and text.get_text().strip() and text.get_visible():
            assert not box.overlaps(text.get_window_extent()), text.get_text()


@pictures
def test_the_newest_point_is_inside_the_axes_and_whole(picture: str) -> None:
    figure = drawn(picture, look())
    for axes in figure.axes:
        for line in axes.get_lines():
            marks = line.get_marker() not in ("", "None", None)
            if not marks or not len(line.get_xdata()) or axes.get_xlabel().startswith("price"):
                continue
            x, _ = axes.transData.transform((line.get_xdata(orig=False)[-1], 0))
            assert x + line.get_markersize() / 2 < axes.bbox.x1 or not line.get_clip_on()
    until = BRIEF.until if picture == "cascade" else TOLD.until
    if picture in ("totals", "cascade", "funding", "oi"):
        at = figure.axes[-1].transData.transform([(figure.axes[0].convert_xunits(until), 0)])[0, 0]
        assert at < figure.axes[0].bbox.x1 - 5


@pytest.mark.parametrize(
    ("span", "form"),
    [(timedelta(seconds=40), r"\d\d:\d\d:\d\d"), (timedelta(minutes=5), r"\d\d:\d\d(:\d\d)?"),
     (timedelta(hours=5), r"\d\d:\d\d"), (timedelta(days=2), r"\d\d:\d\d"), (timedelta(days=20), r"\d\d [A-Z][a-z]{2}"),
     (timedelta(days=700), r"[A-Z][a-z]{2} 20\d\d")],
)  # fmt: skip
@pytest.mark.parametrize("minute", [59.8, 30.0])
def test_each_time_on_the_axis_is_a_whole_time_in_one_form(span: timedelta, form: str, minute: float) -> None:
    """Over the end of an hour too, where ticks said 55, 16:51, 05; and the first of each day says the day."""
    since = datetime(2026, 11, 18, 23) + timedelta(minutes=minute)  # noqa: DTZ001
    told = TOLD._replace(since=since, until=since + span)
    rates = pl.DataFrame({"ts": [since, since + span], "venue": ["okx", "okx"], "rate_8h": [1e-4, 2e-4]})
    figure = lines.funding(rates, PAID.clear(), INTEREST.clear(), told, look())
    FigureCanvasAgg(figure).draw()
    shown = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert len(shown) > 2
    assert all(re.fullmatch(form, text.split("\n")[0]) for text in shown), shown
    assert len({text.count(":") for text in shown}) == 1
    if ":" in shown[0]:
        days = [text.split("\n")[1].strip() for text in shown]
        assert days[0]
        assert len(set(filter(None, days))) == len([day for day in days if day]), "a day is said once"
    assert not figure.axes[0].xaxis.get_offset_text().get_text()


@pytest.mark.parametrize("size", [(500, 400), (800, 500), (1600, 900)])
@pictures
def test_no_two_times_overlap(picture: str, size: tuple[int, int]) -> None:
    figure = drawn(picture, look(size=size))
    for axes in figure.axes:
        boxes = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text().strip()]
        assert all(not one.overlaps(other) for one, other in pairwise(boxes))


@themes
@pictures
def test_one_legend_colour_a_thing(picture: str, name: str) -> None:
    legend = drawn(picture, look(name)).axes[0].get_legend()
    assert legend is not None
    said = [text.get_text() for text in legend.get_texts()]
    assert len(set(said)) == len(said)
    colours = []
    for handle in legend.legend_handles:
        colour = getattr(handle, "get_facecolor", getattr(handle, "get_color", None))
        assert colour is not None
        flat = to_rgba(np.ravel(colour())[:4] if not isinstance(colour(), str) else colour())
        colours.append((*flat, getattr(handle, "get_hatch", str)()))
    assert len(set(colours)) == len(colours)


def test_a_venue_has_its_colour_whichever_others_there_are() -> None:
    for venues in (["bybit"], ["binance", "bybit", "okx"], ["bybit", "okx"]):
        figure = lines.open_interest(INTEREST.filter(pl.col("venue").is_in(venues)), PRICES, TOLD, look())
        area = next(found for found in figure.axes[0].collections if found.get_gid() == "open interest bybit")
        assert to_hex(area.get_facecolor()[0]) == palette("seed").venue("bybit")


@pytest.mark.parametrize("most", [1.0, 7.0, 14_960_000.0, 326_000.0, 1e9])
def test_the_colour_scale_has_round_amounts_and_says_it_is_not_linear(most: float) -> None:
    amounts = _ticks(most)
    assert amounts[0] == 0
    assert 4 <= len(amounts) <= 12
    assert all(f"{amount:e}"[0] in "125" and float(f"{amount:.0e}") == pytest.approx(amount) for amount in amounts[1:])
    assert amounts[-1] <= most
    figure = EVERY["realised"](look())
    assert any("square-root scale" in axes.get_ylabel() for axes in figure.axes)


def test_a_bars_range_lies_over_its_own_time_as_a_box() -> None:
    """A fall inside one bar was a triangle that reached over the next bar; and nothing is drawn in a gap."""
    prices = pl.DataFrame(
        [(NOON, 100.0, 99.0, 101.0), (NOON + HOUR, 90.0, 89.0, 101.0), (NOON + 5 * HOUR, 90.0, 89.0, 91.0),
         (NOON + 6 * HOUR, 90.0, 89.0, 92.0)], ["ts", "price", "low", "high"], orient="row",
    )  # fmt: skip
    figure = heatmap.realised(CELLS, prices, TOLD._replace(until=NOON + 6 * HOUR), look())
    found = next(each for each in figure.axes[0].collections if isinstance(each, FillBetweenPolyCollection))
    covered = []
    for path in found.get_paths():
        corners = path.vertices[:-1]
        assert all(x == pytest.approx(u) or y == pytest.approx(v) for (x, y), (u, v) in pairwise(corners))
        covered += list(corners[:, 0])
    hours = sorted((np.array(covered) - figure.axes[0].convert_xunits(NOON)) * 24)
    assert not [hour for hour in hours if 1.01 < hour < 3.99]
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert any("range" in text.get_text() for text in legend.get_texts())


def test_a_short_time_has_its_seconds_in_its_words() -> None:
    assert BRIEF.span == "2026-11-18 12:00:00 to 12:00:05 UTC"
