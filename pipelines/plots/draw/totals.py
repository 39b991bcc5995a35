"""Liquidation totals over time, mirrored: shorts upward, longs downward; what is only a lower bound is hatched."""

from datetime import timedelta
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from pipelines.plots.draw import numbers
from pipelines.plots.draw.palettes import FAINT, GAP, INK
from pipelines.plots.draw.sheet import Look, Sheet, legend, price_axis_right, sheet, time_axis
from pipelines.plots.told import Told

HATCH = "////"


def totals(
    bars: pl.DataFrame, coverage: pl.DataFrame, prices: pl.DataFrame, length: timedelta, told: Told, look: Look
) -> Sheet:
    """Draw a bar a time and side.

    bars: ts (start of the bar), position_side, complete_usd (from feeds that carry every liquidation), throttled_usd (from
    the others: at least so much). coverage: ts, coverage_share of every bar measured; below 1 it is shaded. prices: ts and
    price, or empty for many coins.
    """
    figure = sheet(look, "liquidations", f"bars: USD liquidated per {_words(length)}, shorts up, longs down", told)
    axes = figure.axes[0]
    _gaps(axes, coverage, length)
    for side, sign in (("short", 1), ("long", -1)):
        _side(axes, bars.filter(pl.col("position_side") == side), sign, side, length, look)
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=4)
    axes.margins(y=0.16)
    time_axis(axes, told)
    axes.yaxis.set_major_formatter(FuncFormatter(numbers.usd_of_either_sign))
    axes.set_ylabel("USD liquidated")
    if not prices.is_empty():
        over_it(axes, prices)
    _legend(axes, bars, coverage, bool(prices.height), look)
    return figure


def over_it(axes: Axes, prices: pl.DataFrame) -> Axes:
    """Draw the price over the bars on an axis of its own at the right, and return that."""
    right = axes.twinx()
    times: Any = prices["ts"].to_numpy()
    right.plot(times, prices["price"].to_numpy(), color=INK, linewidth=1.3, alpha=0.85, zorder=6, gid="price")
    right.yaxis.set_major_formatter(FuncFormatter(numbers.price))
    right.set_ylabel("price, USD per coin")
    price_axis_right(right)
    right.tick_params(labelsize=8.5, length=2)
    right.margins(y=0.2)
    for side in ("top", "left", "right"):
        right.spines[side].set_visible(False)
    return right


def _side(axes: Axes, bars: pl.DataFrame, sign: int, side: str, length: timedelta, look: Look) -> None:
    if bars.is_empty():
        return
    times: Any = bars["ts"].to_numpy()
    whole, told_less = bars["complete_usd"].to_numpy() * sign, bars["throttled_usd"].to_numpy() * sign
    wide: Any = length * 0.9
    colour = look.palette.solid(side)
    for bar in axes.bar(times, whole, wide, align="edge", color=colour, linewidth=0, zorder=3):
        bar.set_gid(f"{side} complete")
    for bar in axes.bar(
        times, told_less, wide, whole, align="edge", facecolor=look.palette.shade(side, 0.0), edgecolor=colour, hatch=HATCH,
        linewidth=0.0, zorder=3,
    ):  # fmt: skip
        bar.set_gid(f"{side} lower bound")


def _gaps(axes: Axes, coverage: pl.DataFrame, length: timedelta) -> None:
    for ts, share in coverage.filter(pl.col("coverage_share") < 1).select("ts", "coverage_share").iter_rows():
        axes.axvspan(ts, ts + length, color=GAP, alpha=0.25 + 0.5 * (1 - share), linewidth=0, zorder=0, gid="gap")


def _legend(axes: Axes, bars: pl.DataFrame, coverage: pl.DataFrame, priced: bool, look: Look) -> None:
    handles: list[Any] = [Patch(color=look.palette.solid(side), label=f"{side}s") for side in ("short", "long")]
    if (bars["throttled_usd"] > 0).any():
        handles.append(
            Patch(facecolor="white", edgecolor=INK, hatch=HATCH, label="from throttled feeds: at least so much")
        )
    if (coverage["coverage_share"] < 1).any():
        handles.append(Patch(color=GAP, label="feeds not heard the whole time: at least so much"))
    if priced:
        handles += axes.plot([], [], color=INK, linewidth=1.3, label="price")
    legend(axes, handles)


def _words(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    count, unit = next((seconds // size, unit) for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
                       if seconds % size == 0)  # fmt: skip
    return unit if count == 1 else f"{count} {unit}s"
