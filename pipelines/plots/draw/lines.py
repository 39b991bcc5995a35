"""Funding and open interest over time, by venue."""

from typing import Any

import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from pipelines.plots.draw import numbers
from pipelines.plots.draw.palettes import FAINT, INK
from pipelines.plots.draw.sheet import Look, Sheet, legend, sheet, time_axis
from pipelines.plots.draw.totals import over_it
from pipelines.plots.told import Told


def funding(rates: pl.DataFrame, paid: pl.DataFrame, interest: pl.DataFrame, told: Told, look: Look) -> Sheet:
    """Draw funding per eight hours by venue, weighted by open interest over all, and what was paid; below, open interest.

    rates: ts, venue (null: all venues), rate_8h (fraction; null breaks the line). paid: ts, venue, rate_8h of settlements.
    interest: ts, venue, oi_usd (null: a gap); empty: no second panel.
    """
    rows = (3.0, 1.0) if interest.height else (1.0,)
    unit = "lines: funding rate per 8 hours, positive: longs pay shorts; dots: paid"
    figure = sheet(look, "funding", unit if interest.height == 0 else f"{unit}; below: open interest, USD", told, rows=rows,
                   right=0.3)  # fmt: skip
    axes = figure.axes[0]
    colours = _colours(rates, paid, interest, look=look)
    _rates(axes, rates, colours)
    for venue, colour in colours.items():
        some = paid.filter(pl.col("venue") == venue)
        times: Any = some["ts"].to_numpy()
        axes.scatter(times, some["rate_8h"].to_numpy(), s=16, color=colour, edgecolor="white", linewidth=0.5, zorder=6,
                     gid=f"paid {venue}")  # fmt: skip
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=2)
    axes.margins(y=0.2)
    axes.yaxis.set_major_formatter(FuncFormatter(numbers.rate))
    axes.set_ylabel("funding rate per 8 h")
    time_axis(figure.axes[-1], told)
    if interest.height:
        _stacked(figure.axes[1], interest, colours)
    legend(axes, _handles(axes, paid))
    return figure


def open_interest(interest: pl.DataFrame, prices: pl.DataFrame, told: Told, look: Look) -> Sheet:
    """Draw open interest stacked by venue, and the price over it. interest: ts, venue, oi_usd (null: a gap in the
    areas); prices: ts, price, or empty."""
    figure = sheet(look, "open interest", "areas: open interest, one side, USD, by venue", told)
    axes = figure.axes[0]
    _stacked(axes, interest, _colours(interest, look=look))
    time_axis(axes, told)
    if prices.height:
        over_it(axes, prices)
        axes.plot([], [], color=INK, linewidth=1.3, label="price")
    legend(axes, _handles(axes))
    return figure


def _colours(*frames: pl.DataFrame, look: Look) -> dict[str, str]:
    venues = sorted({venue for frame in frames for venue in frame["venue"].unique() if venue is not None})
    return {venue: look.palette.venues[number % len(look.palette.venues)] for number, venue in enumerate(venues)}


def _rates(axes: Axes, rates: pl.DataFrame, colours: dict[str, str]) -> None:
    for venue, colour in colours.items():
        some = rates.filter(pl.col("venue") == venue)
        if some.height:
            _line(axes, some, color=colour, linewidth=1.4, label=venue, zorder=4)
    overall = rates.filter(pl.col("venue").is_null())
    if overall["rate_8h"].count():
        _line(axes, overall, color=INK, linewidth=2.6, label="weighted by open interest", zorder=5)


def _line(axes: Axes, rows: pl.DataFrame, **how: Any) -> None:
    times: Any = rows["ts"].to_numpy()
    values = rows["rate_8h"].to_numpy()
    axes.plot(times, values, drawstyle="steps-post", marker="." if rows.height < 3 else "", gid=how["label"], **how)


def _stacked(axes: Axes, interest: pl.DataFrame, colours: dict[str, str]) -> None:
    gaps = interest.filter(pl.col("oi_usd").is_null())["ts"].unique()
    wide = interest.pivot("venue", index="ts", values="oi_usd", sort_columns=True).sort("ts").fill_null(0)
    wide = wide.with_columns(
        pl.when(pl.col("ts").is_in(gaps.implode())).then(None).otherwise(pl.exclude("ts")).name.keep()
    )
    for gap in gaps:
        axes.axvline(gap, color=FAINT, linewidth=0.9, linestyle=":", zorder=5)
    times: Any = wide["ts"].to_numpy()
    venues = [name for name in wide.columns if name != "ts"]
    areas = axes.stackplot(
        times, *(wide[venue].to_numpy() for venue in venues), colors=[colours[venue] for venue in venues], labels=venues,
        alpha=0.55, linewidth=0, zorder=3,
    )  # fmt: skip
    for area, venue in zip(areas, venues, strict=True):
        area.set_gid(f"open interest {venue}")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(numbers.usd))
    axes.set_ylabel("open interest")


def _handles(axes: Axes, paid: pl.DataFrame | None = None) -> list[Artist]:
    handles: list[Artist] = [handle for handle in axes.get_legend_handles_labels()[0] if isinstance(handle, Artist)]
    if paid is not None and paid.height:
        handles += axes.plot([], [], "o", markersize=4, color=FAINT, label="paid")
    return handles
