"""Heatmaps over time and price: estimated levels, or what was liquidated."""

from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colors import PowerNorm
from matplotlib.dates import date2num
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from pipelines.levels.freshness import STALE
from pipelines.plots.draw import numbers
from pipelines.plots.draw.palettes import INK, Palette
from pipelines.plots.draw.sheet import SMALL_PT, Look, Sheet, legend, price_axis_right, sheet, time_axis
from pipelines.plots.told import NOT_SCORED, Score, Told

NOW_IN, GAP_IN = 0.4, 0.08
GAMMA = 0.5  # colour by the square root: a few cells hold most of the dollars
LABELS = {
    "estimated": {"short": "shorts at risk, above the price", "long": "longs at risk, below the price"},
    "realised": {"short": "shorts liquidated", "long": "longs liquidated"},
}


def predictive(cells: pl.DataFrame, prices: pl.DataFrame, score: Score | None, told: Told, look: Look) -> Sheet:
    """Draw estimated levels: ts to ts_end x price_low to price_high, position_side, usd; and the price over them.

    prices: ts, price, low, high. The score stands below, as words, also where there is none. Darker is more, on one scale
    for both sides, so a dark red and a dark green weigh the same. freshness, where it is there: FRESH or STALE of the newest
    column, which is drawn again at the right as a strip: what is ahead of the price now, however short that column stood.
    """
    said = told._replace(notes=(NOT_SCORED if score is None else str(score), *told.notes))
    return _heatmap(cells, prices, said, look, "estimated liquidation levels", "estimated")


def realised(cells: pl.DataFrame, prices: pl.DataFrame, told: Told, look: Look) -> Sheet:
    """Draw what was liquidated: columns as in `predictive`. What is missing must stand in told.notes."""
    return _heatmap(cells, prices, told, look, "realised liquidations", "realised")


def _heatmap(cells: pl.DataFrame, prices: pl.DataFrame, told: Told, look: Look, title: str, kind: str) -> Sheet:
    what = "that would be liquidated, estimated" if kind == "estimated" else "liquidated"
    unit = f"colour: USD {what}, per cell; darker is more"
    figure = sheet(look, title, unit, told, right=2.4)
    axes = figure.axes[0]
    norm = PowerNorm(GAMMA, vmin=0, vmax=max(float(cells["usd"].max() or 0), 1e-9))  # type: ignore[arg-type]
    for side in ("long", "short"):
        _mesh(axes, cells.filter(pl.col("position_side") == side), look.palette, side, norm)
    _price(axes, prices)
    time_axis(axes, told)
    axes.set_ylim(float(cells["price_low"].min()), float(cells["price_high"].max()))  # type: ignore[arg-type]
    price_axis_right(axes)
    axes.yaxis.set_major_formatter(FuncFormatter(numbers.price))
    axes.set_ylabel("price, USD per coin")
    sides = [Patch(color=look.palette.solid(side), label=LABELS[kind][side]) for side in ("short", "long")]
    legend(axes, [*sides, *(line for line in axes.get_lines() if line.get_gid() == "price")])
    _tag(_now(figure, look, cells, norm) or axes, prices)
    _scales(figure, look, norm)
    return figure


def _mesh(axes: Axes, cells: pl.DataFrame, colours: Palette, side: str, norm: PowerNorm) -> QuadMesh | None:
    """Fill a grid of all edges of time and price with the cells; what no cell covers stays empty."""
    if cells.is_empty():
        return None
    left, right = (date2num(cells[name].to_numpy()) for name in ("ts", "ts_end"))  # type: ignore[no-untyped-call]
    low, high = (cells[name].round_sig_figs(10).to_numpy() for name in ("price_low", "price_high"))
    across, up = np.unique(np.concatenate([left, right])), np.unique(np.concatenate([low, high]))
    values = np.full((len(up) - 1, len(across) - 1), np.nan)
    edges = (
        np.searchsorted(up, low),
        np.searchsorted(up, high),
        np.searchsorted(across, left),
        np.searchsorted(across, right),
    )
    for bottom, top, begin, end, usd in zip(*edges, cells["usd"].to_numpy(), strict=True):
        values[bottom:top, begin:end] = usd
    ramp = colours.ramp(side)
    mesh = axes.pcolormesh(across, up, np.ma.masked_invalid(values), cmap=ramp, norm=norm, rasterized=True, zorder=1)
    mesh.set_gid(side)
    return mesh


def _price(axes: Axes, prices: pl.DataFrame) -> None:
    if prices.is_empty():
        return
    times: Any = prices["ts"].to_numpy()
    axes.fill_between(
        times, prices["low"].to_numpy(), prices["high"].to_numpy(), color=INK, alpha=0.18, linewidth=0, zorder=4
    )
    axes.plot(times, prices["price"].to_numpy(), color="white", linewidth=3, zorder=5)
    axes.plot(times, prices["price"].to_numpy(), color=INK, linewidth=1.4, zorder=6, label="price", gid="price")


def _now(figure: Sheet, look: Look, cells: pl.DataFrame, norm: PowerNorm) -> Axes | None:
    """Draw the newest column at the right of the axes, which make room; None where the cells do not say which it is."""
    newest = cells.filter(pl.col("freshness") != "PAST") if "freshness" in cells.columns else cells.clear()
    if newest.is_empty():
        return None
    axes, inch = figure.axes[0], look.dpi / look.width
    box, wide = axes.get_position(), NOW_IN * inch
    axes.set_position((box.x0, box.y0, box.width - wide - GAP_IN * inch, box.height))
    strip = figure.add_axes((box.x1 - wide, box.y0, wide, box.height), sharey=axes)
    strip.set_gid("now")
    one = newest.with_columns(ts=pl.lit(newest["ts"].min()), ts_end=pl.lit(newest["ts"].min()) + pl.duration(minutes=1))
    for side in ("long", "short"):
        _mesh(strip, one.filter(pl.col("position_side") == side), look.palette, side, norm)
    strip.set_title({"FRESH": "now"}.get(newest["freshness"][0], STALE), size=SMALL_PT, pad=4)
    strip.set_xticks([])
    for side in ("top", "left", "right", "bottom"):
        strip.spines[side].set_visible(False)
    strip.set_ylabel(axes.get_ylabel())
    price_axis_right(strip)
    strip.tick_params(labelsize=SMALL_PT, length=2)
    axes.set_ylabel("")
    axes.tick_params(labelright=False)
    return strip


def _tag(axes: Axes, prices: pl.DataFrame) -> None:
    """Write the last price at the right of the axes."""
    if prices.is_empty():
        return
    last = prices.row(-1, named=True)
    axes.annotate(
        numbers.price(last["price"]), (1, last["price"]), xycoords=("axes fraction", "data"), xytext=(5, 0),
        textcoords="offset points", va="center", color="white", size=SMALL_PT, zorder=7, annotation_clip=False,
        bbox={"boxstyle": "square,pad=0.25", "color": INK},
    )  # fmt: skip


def _scales(figure: Sheet, look: Look, norm: PowerNorm) -> None:
    """Two colour scales at the right: they share one range, so the second alone has numbers."""
    box, inch = figure.axes[0].get_position(), look.dpi / look.width
    for number, side in enumerate(("short", "long")):
        place = figure.add_axes((1 - (1.2 - 0.25 * number) * inch, box.y0, 0.2 * inch, box.height * 0.97))
        bar = figure.colorbar(ScalarMappable(norm, look.palette.ramp(side)), cax=place)
        bar.outline.set_visible(False)
        bar.ax.set_title(f"{side}s", size=SMALL_PT, loc="left" if number else "right", pad=4)
        bar.ax.tick_params(labelsize=SMALL_PT, length=2)
        bar.set_ticks([(norm.vmax or 0) * share for share in (0, 0.02, 0.1, 0.25, 0.5, 0.75, 1)] if number else [])
        bar.ax.yaxis.set_major_formatter(FuncFormatter(numbers.usd))
        bar.ax.minorticks_off()
