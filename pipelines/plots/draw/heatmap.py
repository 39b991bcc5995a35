"""Heatmaps over time and price: estimated levels, or what was liquidated."""

import math
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colors import PowerNorm
from matplotlib.dates import date2num
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from pipelines.derive.levels.freshness import STALE
from pipelines.plots.draw import numbers
from pipelines.plots.draw.palettes import Palette
from pipelines.plots.draw.sheet import SMALL_PT, Look, Sheet, legend, plain, price_axis_right, sheet
from pipelines.plots.draw.tags import price_tag
from pipelines.plots.draw.times import time_axis
from pipelines.plots.told import NOT_SCORED, Score, Told

NOW_IN, GAP_IN = 0.4, 0.08
GAMMA = 0.5  # colour by the square root: a few cells hold most of the dollars
SIDES = ("short", "long")
TICKS_APART = 0.09
RANGE_ALPHA = 0.22
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
    unit = f"colour: USD {what}, per cell; {look.theme.more} is more"
    figure = sheet(look, title, unit, told, right=2.4)
    axes = figure.axes[0]
    norm = PowerNorm(GAMMA, vmin=0, vmax=max(float(cells["usd"].max() or 0), 1e-9))  # type: ignore[arg-type]
    for side in ("long", "short"):
        _mesh(axes, cells.filter(pl.col("position_side") == side), look.palette, side, norm)
    handles: list[Any] = [Patch(color=look.palette.solid(side), label=LABELS[kind][side]) for side in SIDES]
    legend(axes, handles + _price(axes, prices, look), look)
    time_axis(axes, told, room=0)
    axes.set_ylim(*_reach(cells, prices, told))
    price_axis_right(axes)
    axes.yaxis.set_major_formatter(FuncFormatter(numbers.price))
    axes.set_ylabel("price, USD per coin")
    beside = _now(figure, look, cells, norm) or axes
    if (last := _at_the_edge(prices, told)) is not None:
        price_tag(beside, last, look)
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


def _reach(cells: pl.DataFrame, prices: pl.DataFrame, told: Told) -> tuple[float, float]:
    """Return the least and the highest price that is shown: of every cell, and of the price with room for its tag."""
    shown = prices.filter(pl.col("ts").is_between(told.since, told.until))["price"]
    low = min(float(cells["price_low"].min()), *shown)  # type: ignore[arg-type]
    high = max(float(cells["price_high"].max()), *shown)  # type: ignore[arg-type]
    free, edge = (high - low) * 0.03 if shown.len() else 0, (high - low) * 0.01  # no cell ends at the frame
    return min(low - edge, min(shown, default=low) - free), max(high + edge, max(shown, default=high) + free)


def _at_the_edge(prices: pl.DataFrame, told: Told) -> float | None:
    """Return the last price, None where the line ends before the right edge: by more than two of its steps and a fiftieth."""
    shown = prices.filter(pl.col("ts") <= told.until)
    if shown.is_empty():
        return None
    usual = cast(timedelta, shown["ts"].diff().median() or timedelta(0))
    late = told.until - cast(datetime, shown["ts"][-1])
    return float(shown["price"][-1]) if late <= max(2 * usual, (told.until - told.since) / 50) else None


def _price(axes: Axes, prices: pl.DataFrame, look: Look) -> list[Any]:
    """Draw the price, and of each bar its range over the bar's own time; return both for the legend, if they are there."""
    if prices.is_empty():
        return []
    times: Any = prices["ts"].to_numpy()
    for colour, wide, order in ((look.theme.paper, 3, 5), (look.theme.ink, 1.4, 6)):
        drawn = axes.plot(times, prices["price"].to_numpy(), color=colour, linewidth=wide, zorder=order)
    drawn[0].set_label("price")
    drawn[0].set_gid("price")
    if (prices["high"] > prices["low"]).any():
        ranges = _ranges(prices)
        how: Any = {"color": look.theme.ink, "alpha": RANGE_ALPHA, "linewidth": 0, "zorder": 4}
        left: Any = ranges["ts"].to_numpy()
        axes.fill_between(left, ranges["low"].to_numpy(), ranges["high"].to_numpy(), step="pre", gid="range", **how)
        return [*drawn, Patch(label="its range in each bar", **(how | {"zorder": 1}))]
    return list(drawn)


def _ranges(prices: pl.DataFrame) -> pl.DataFrame:
    """Return ts, low, high for steps that end at ts: each bar's range lies over its own time, with nothing in a gap."""
    usual = cast(timedelta, prices["ts"].diff().median() or timedelta(0))
    begins = pl.when(pl.col("ts").diff().is_null() | (pl.col("ts").diff() > usual * 1.5)).then(pl.col("ts") - usual)
    bars = prices.select("ts", "low", "high", begins=begins)
    starts = bars.drop_nulls("begins").select(pl.col("begins").alias("ts"), "low", "high")
    none = pl.lit(None, pl.Float64)
    empty = starts.select(pl.col("ts") - timedelta(microseconds=1), low=none, high=none)
    return pl.concat([bars.drop("begins"), starts, empty]).sort("ts")


def _now(figure: Sheet, look: Look, cells: pl.DataFrame, norm: PowerNorm) -> Axes | None:
    """Draw the newest column at the right of the axes, which make room; None where the cells do not say which it is."""
    newest = cells.filter(pl.col("freshness") != "PAST") if "freshness" in cells.columns else cells.clear()
    if newest.is_empty():
        return None
    axes, inch = figure.axes[0], look.dpi / look.width
    box, wide = axes.get_position(), NOW_IN * inch
    axes.set_position((box.x0, box.y0, box.width - wide - GAP_IN * inch, box.height))
    strip = figure.add_axes((box.x1 - wide, box.y0, wide, box.height), sharey=axes)
    plain(strip, look.theme)
    strip.set_gid("now")
    one = newest.with_columns(ts=pl.lit(newest["ts"].min()), ts_end=pl.lit(newest["ts"].min()) + pl.duration(minutes=1))
    for side in ("long", "short"):
        _mesh(strip, one.filter(pl.col("position_side") == side), look.palette, side, norm)
    strip.set_title({"FRESH": "now"}.get(newest["freshness"][0], STALE), size=SMALL_PT, pad=4)
    strip.set_xticks([])
    strip.set_ylabel(axes.get_ylabel())
    price_axis_right(strip)
    strip.tick_params(labelsize=SMALL_PT, length=2)
    axes.set_ylabel("")
    axes.tick_params(labelright=False, right=False)
    return strip


def _scales(figure: Sheet, look: Look, norm: PowerNorm) -> None:
    """Two colour scales at the right: they share one range, so the second alone has numbers."""
    box, inch = figure.axes[0].get_position(), look.dpi / look.width
    for number, side in enumerate(SIDES):
        place = figure.add_axes((1 - (1.35 - 0.25 * number) * inch, box.y0, 0.2 * inch, box.height * 0.96))
        bar = figure.colorbar(ScalarMappable(norm, look.palette.ramp(side)), cax=place)
        bar.outline.set_visible(False)
        plain(bar.ax, look.theme)
        bar.ax.spines["bottom"].set_visible(False)
        bar.ax.set_title(f"{side}s", size=SMALL_PT, color=look.theme.ink, loc="left" if number else "right", pad=7)
        bar.ax.tick_params(length=2)
        bar.set_ticks(_ticks(float(norm.vmax or 1)) if number else [])
        bar.ax.yaxis.set_major_formatter(FuncFormatter(numbers.usd))
        bar.ax.minorticks_off()
    bar.set_label("USD per cell, on a square-root scale", size=SMALL_PT, color=look.theme.ink)


def _ticks(most: float) -> list[float]:
    """Return 0 and round amounts up to `most`, so far apart on the scale that their labels have room."""
    found: list[float] = []
    above, power = 1.0 + TICKS_APART, math.floor(math.log10(most))
    for amount in (times * 10.0**at for at in range(power, power - 4, -1) for times in (5, 2, 1)):
        place = (amount / most) ** GAMMA
        if TICKS_APART <= place <= min(above - TICKS_APART, 1):
            found.insert(0, amount)
            above = place
    return [0.0, *found]
