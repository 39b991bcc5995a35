"""One cascade, second by second: USD by venue, shorts up and longs down, with the price and what was paid."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from pipelines.plots.draw import numbers
from pipelines.plots.draw.palettes import place
from pipelines.plots.draw.sheet import Look, Sheet, legend, price_axis_right, sheet
from pipelines.plots.draw.times import time_axis
from pipelines.plots.told import Told
from pipelines.venues import HEARD


class Event(NamedTuple):
    """What is told of the cascade beside its seconds (table cascades); usd of both sides, moves are fractions."""

    cascade_id: str
    ts_start: datetime
    ts_end: datetime
    position_side: str
    usd: float
    liquidations: int
    multiple: float | None
    move: float | None
    lower_bound: bool | None


def cascade(
    seconds: pl.DataFrame, prices: pl.DataFrame, event: Event, length: timedelta, told: Told, look: Look
) -> Sheet:
    """Draw the seconds around the cascade; its own time is shaded.

    seconds: ts (start of a bar of `length`), venue, position_side, usd, price (mean of what the venue sent, weighted by USD,
    or null). prices: ts, price of the market, or empty.
    """
    paid = seconds.filter(pl.col("price").is_not_null())
    panels = (1.2, 1.6) if prices.height or paid.height else (1.0,)
    figure = sheet(look, f"cascade of {event.position_side}s, {_sum(event)}", _unit(length), told, rows=panels)
    axes = figure.axes[-1]
    lasted: Any = (event.ts_start, event.ts_end + length)
    for each in figure.axes:
        each.axvspan(*lasted, color=look.theme.gap, alpha=0.35, linewidth=0, zorder=0, gid="cascade")
    venues = sorted(seconds["venue"].unique(), key=lambda venue: (place(venue), venue))
    for side, sign in (("short", 1), ("long", -1)):
        _bars(axes, seconds.filter(pl.col("position_side") == side), sign, side, venues, length, look)
    axes.axhline(0, color=look.theme.faint, linewidth=0.8, zorder=4)
    axes.use_sticky_edges = False  # no bar ends at the frame
    axes.margins(y=0.08)
    time_axis(axes, told, bars=(seconds["ts"].min(), seconds["ts"].max() + length))  # type: ignore[arg-type,operator]
    axes.yaxis.set_major_formatter(FuncFormatter(numbers.usd_of_either_sign))
    axes.set_ylabel("USD liquidated")
    handles = _handles(seconds, venues, look)
    if len(panels) > 1:
        handles += _prices(figure.axes[0], prices, paid, length, look)
    legend(figure.axes[0], handles, look, rows=2)
    return figure


def _prices(axes: Axes, prices: pl.DataFrame, paid: pl.DataFrame, length: timedelta, look: Look) -> list[Artist]:
    """Draw the market's price and the prices of the liquidations, and return them for the legend."""
    times: Any = prices["ts"].to_numpy()
    seconds: Any = (paid["ts"] + length / 2).to_numpy()
    drawn: list[Artist] = []
    if paid.height:
        drawn.append(axes.scatter(seconds, paid["price"].to_numpy(), s=11, color=look.theme.faint, linewidth=0, zorder=4,
                                  label="price of the liquidations, as sent"))  # fmt: skip
    if prices.height:
        how: Any = {
            "color": look.theme.ink,
            "linewidth": 1.6,
            "zorder": 5,
            "label": "price of the market",
            "gid": "price",
        }
        drawn += axes.plot(times, prices["price"].to_numpy(), marker=".", **how)
    axes.yaxis.set_major_formatter(FuncFormatter(numbers.price))
    axes.set_ylabel("price, USD per coin")
    axes.margins(y=0.1)
    price_axis_right(axes)
    return drawn


def _bars(
    axes: Axes, seconds: pl.DataFrame, sign: int, side: str, venues: list[str], length: timedelta, look: Look
) -> None:
    rows = seconds.sort("ts", "venue").with_columns(below=pl.col("usd").cum_sum().over("ts") - pl.col("usd"))
    wide: Any = length * 0.9
    for venue in venues:
        some = rows.filter(pl.col("venue") == venue)
        if some.is_empty():
            continue
        times: Any = some["ts"].to_numpy()
        usd, below = some["usd"].to_numpy() * sign, some["below"].to_numpy() * sign
        colour = _shade(side, venue, look)
        for bar in axes.bar(times, usd, wide, below, align="edge", color=colour, linewidth=0, zorder=3):
            bar.set_gid(f"{side} {venue}")


def _sum(event: Event) -> str:
    parts = [f"{'at least ' if event.lower_bound else ''}{numbers.usd(event.usd)}", f"{event.liquidations:,} liquidations",
             f"{(event.ts_end - event.ts_start).total_seconds():,.1f} s"]  # fmt: skip
    if event.multiple is not None:
        parts.append(f"{event.multiple:,.0f} times normal")
    if event.move is not None:
        parts.append(f"price {event.move:+.2%}")
    return ", ".join(parts)


def _unit(length: timedelta) -> str:
    each = "second" if length == timedelta(seconds=1) else f"{length.total_seconds():g} seconds"
    return f"bars: USD liquidated per {each} by venue, shorts up, longs down; shaded: the cascade"


def _handles(seconds: pl.DataFrame, venues: list[str], look: Look) -> list[Artist]:
    there = set(seconds.filter(pl.col("usd") > 0).select("position_side", "venue").unique().rows())
    return [
        Patch(color=_shade(side, venue, look), label=f"{side}s, {venue}")
        for venue in venues
        for side in ("short", "long")
        if (side, venue) in there
    ]


def _shade(side: str, venue: str, look: Look) -> str:
    """Return the colour of a side at a venue, the same in every picture."""
    return look.palette.shade(side, min(place(venue) / (len(HEARD) - 1), 1))
