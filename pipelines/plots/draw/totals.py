"""Liquidation totals over time, mirrored: shorts upward, longs downward; what is only a lower bound is hatched."""

from datetime import timedelta
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from pipelines.plots.draw import numbers
from pipelines.plots.draw.sheet import Look, Sheet, legend, second_axis, sheet
from pipelines.plots.draw.times import time_axis
from pipelines.plots.told import Told

HATCH = "////"
GAP_ALPHA = 0.6
FEW = 3
"""A line of fewer points than this has dots, as it may be too short to see."""


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
    _gaps(axes, coverage, length, look)
    for side, sign in (("short", 1), ("long", -1)):
        _side(axes, bars.filter(pl.col("position_side") == side), sign, side, length, look)
    axes.axhline(0, color=look.theme.faint, linewidth=0.8, zorder=4)
    axes.use_sticky_edges = False  # no bar ends at the frame
    axes.margins(y=0.16)
    time_axis(axes, told, bars=(bars["ts"].min(), bars["ts"].max() + length))  # type: ignore[arg-type,operator]
    axes.yaxis.set_major_formatter(FuncFormatter(numbers.usd_of_either_sign))
    axes.set_ylabel("USD liquidated")
    if not prices.is_empty():
        over_it(axes, prices, look)
    _legend(axes, bars, coverage, bool(prices.height), look)
    return figure


def over_it(axes: Axes, prices: pl.DataFrame, look: Look) -> Axes:
    """Draw the price over the bars on an axis of its own at the right, and return that."""
    right = second_axis(axes, look.theme)
    times: Any = prices["ts"].to_numpy()
    how: Any = {"color": look.theme.ink, "linewidth": 1.3, "zorder": 6, "gid": "price"}
    right.plot(times, prices["price"].to_numpy(), marker="." if prices.height < FEW else "", **how)
    right.yaxis.set_major_formatter(FuncFormatter(numbers.price))
    right.set_ylabel("price, USD per coin")
    right.margins(y=0.2)
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


def _gaps(axes: Axes, coverage: pl.DataFrame, length: timedelta, look: Look) -> None:
    for ts in coverage.filter(pl.col("coverage_share") < 1)["ts"]:
        axes.axvspan(ts, ts + length, color=look.theme.gap, alpha=GAP_ALPHA, linewidth=0, zorder=0, gid="gap")


def _legend(axes: Axes, bars: pl.DataFrame, coverage: pl.DataFrame, priced: bool, look: Look) -> None:
    """Each side's own colour, plain and hatched as its bars are; nothing that is not in the picture."""
    handles: list[Any] = []
    for side in ("short", "long"):
        some = bars.filter(pl.col("position_side") == side)
        colour, pale = look.palette.solid(side), look.palette.shade(side, 0.0)
        if some["complete_usd"].sum():
            handles.append(Patch(color=colour, label=f"{side}s"))
        if some["throttled_usd"].sum():
            handles.append(Patch(facecolor=pale, edgecolor=colour, hatch=HATCH, linewidth=0,
                                 label=f"{side}s, from feeds that may lack some: at least so much"))  # fmt: skip
    if (coverage["coverage_share"] < 1).any():
        handles.append(Patch(color=look.theme.gap, alpha=GAP_ALPHA, label="feeds not heard the whole time"))
    if priced:
        handles += axes.plot([], [], color=look.theme.ink, linewidth=1.3, label="price")
    legend(axes, handles, look)


def _words(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    count, unit = next((seconds // size, unit) for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
                       if seconds % size == 0)  # fmt: skip
    return unit if count == 1 else f"{count} {unit}s"
