"""Funding and open interest over time, by venue."""

from typing import Any

import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from pipelines.plots.draw import numbers
from pipelines.plots.draw.palettes import place
from pipelines.plots.draw.sheet import Look, Sheet, legend, sheet
from pipelines.plots.draw.times import time_axis
from pipelines.plots.draw.totals import over_it
from pipelines.plots.told import Told

AREA_ALPHA = 0.55
ALONE = 0.004
"""Width of a bar for a single moment, as a part of the time shown."""
RINGS_PT = (7.0, 4.8, 2.6)


def funding(rates: pl.DataFrame, paid: pl.DataFrame, interest: pl.DataFrame, told: Told, look: Look) -> Sheet:
    """Draw funding per eight hours by venue, weighted by open interest over all, and what was paid; below, open interest.

    rates: ts, venue (null: all venues), rate_8h (fraction; null breaks the line). paid: ts, venue, rate_8h of settlements.
    interest: ts, venue, oi_usd (null: a gap); empty: no second panel.
    """
    rows = (3.0, 1.0) if interest.height else (1.0,)
    figure = sheet(look, "funding", _unit(rates, paid, interest), told, rows=rows, right=0.3)
    axes = figure.axes[0]
    colours = _colours(rates, paid, interest, look=look)
    _rates(axes, rates, colours, look)
    _paid(axes, paid, colours, look)
    axes.axhline(0, color=look.theme.faint, linewidth=0.8, zorder=2)
    axes.margins(y=0.2)
    axes.yaxis.set_major_formatter(FuncFormatter(numbers.rate))
    axes.set_ylabel("funding rate per 8 h")
    time_axis(figure.axes[-1], told)
    if interest.height:
        _stacked(figure.axes[1], interest, colours, look)
    legend(axes, _handles(axes, look, paid), look)
    return figure


def _unit(rates: pl.DataFrame, paid: pl.DataFrame, interest: pl.DataFrame) -> str:
    """Say what is drawn, and nothing that is not."""
    parts = []
    if rates["rate_8h"].count():
        parts += ["lines: funding rate per 8 hours, positive: longs pay shorts", "diamonds: the newest"]
    if paid.height:
        parts.append("dots: paid, as rings where alike" if parts else "dots: funding paid per 8 hours, as rings where "
                     "alike, positive: longs paid shorts")  # fmt: skip
    if interest.height:
        parts.append("below, in the same colours: open interest, USD")
    return "; ".join(parts)


def open_interest(interest: pl.DataFrame, prices: pl.DataFrame, told: Told, look: Look) -> Sheet:
    """Draw open interest stacked by venue, and the price over it. interest: ts, venue, oi_usd (null: a gap in the
    areas); prices: ts, price, or empty."""
    figure = sheet(look, "open interest", "areas: open interest, one side, USD, by venue", told)
    axes = figure.axes[0]
    _stacked(axes, interest, _colours(interest, look=look), look)
    time_axis(axes, told)
    if prices.height:
        over_it(axes, prices, look)
        axes.plot([], [], color=look.theme.ink, linewidth=1.3, label="price")
    legend(axes, _handles(axes, look), look)
    return figure


def _colours(*frames: pl.DataFrame, look: Look) -> dict[str, str]:
    venues = {venue for frame in frames for venue in frame["venue"].unique() if venue is not None}
    return {venue: look.palette.venue(venue) for venue in sorted(venues, key=lambda venue: (place(venue), venue))}


def _rates(axes: Axes, rates: pl.DataFrame, colours: dict[str, str], look: Look) -> None:
    for venue, colour in colours.items():
        some = rates.filter(pl.col("venue") == venue)
        if some["rate_8h"].count():
            _line(axes, some, venue, color=colour, linewidth=1.4, zorder=4)
    overall = rates.filter(pl.col("venue").is_null())
    if overall["rate_8h"].count():
        _line(axes, overall, "weighted by open interest", color=look.theme.ink, linewidth=2.6, zorder=5)


def _line(axes: Axes, rows: pl.DataFrame, name: str, **how: Any) -> None:
    """Draw a line with a diamond at its newest value, which the legend has too: the line may be too short to see."""
    times: Any = rows["ts"].to_numpy()
    newest = rows.drop_nulls("rate_8h")["rate_8h"][-1]
    last: Any = rows.with_columns(of=pl.col("rate_8h").is_not_null()).with_row_index().filter("of")["index"][-1]
    axes.plot(times, rows["rate_8h"].to_numpy(), drawstyle="steps-post", marker="D", markersize=5, markevery=[last],
              clip_on=False, gid=name, label=f"{name} {numbers.rate(newest)}", **how)  # fmt: skip


def _paid(axes: Axes, paid: pl.DataFrame, colours: dict[str, str], look: Look) -> None:
    """Draw dots, those of the first venue the largest, so that none hides another of the same rate."""
    for number, (venue, colour) in enumerate(colours.items()):
        some = paid.filter(pl.col("venue") == venue)
        times: Any = some["ts"].to_numpy()
        size = RINGS_PT[min(number, len(RINGS_PT) - 1)]
        axes.scatter(times, some["rate_8h"].to_numpy(), s=size**2, color=colour, edgecolor=look.theme.paper, linewidth=0.4,
                     clip_on=False, zorder=6, gid=f"paid {venue}")  # fmt: skip


def _stacked(axes: Axes, interest: pl.DataFrame, colours: dict[str, str], look: Look) -> None:
    gaps = interest.filter(pl.col("oi_usd").is_null())["ts"].unique()
    wide = interest.pivot("venue", index="ts", values="oi_usd", sort_columns=True).sort("ts").fill_null(0)
    wide = wide.with_columns(
        pl.when(pl.col("ts").is_in(gaps.implode())).then(None).otherwise(pl.exclude("ts")).name.keep()
    )
    for gap in gaps:
        axes.axvline(gap, color=look.theme.faint, linewidth=0.9, linestyle=":", zorder=5)
    times: Any = wide["ts"].to_numpy()
    venues = [venue for venue in colours if venue in wide.columns]
    areas = axes.stackplot(
        times, *(wide[venue].to_numpy() for venue in venues), colors=[colours[venue] for venue in venues], labels=venues,
        alpha=AREA_ALPHA, linewidth=0, zorder=3,
    )  # fmt: skip
    for area, venue in zip(areas, venues, strict=True):
        area.set_gid(f"open interest {venue}")
    _alone(axes, wide.select("ts", *venues), colours)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(numbers.usd))
    axes.set_ylabel("open interest")


def _alone(axes: Axes, wide: pl.DataFrame, colours: dict[str, str]) -> None:
    """Draw what stands between two gaps, or after the last, as a bar where it is too short for an area to be seen."""
    width: Any = (wide["ts"].max() - wide["ts"].min()) * ALONE  # type: ignore[operator]
    known = pl.col(wide.columns[-1]).is_not_null()
    stretches = wide.with_columns(stretch=(~known).cum_sum()).filter(known).group_by("stretch", maintain_order=True)
    ends = stretches.agg(pl.all().last(), first=pl.col("ts").first())
    for row in ends.filter(pl.col("ts") - pl.col("first") < width).iter_rows(named=True):
        bottom = 0.0
        for venue, colour in colours.items():
            how: Any = {"align": "edge", "color": colour, "linewidth": 0, "zorder": 3, "gid": f"alone {venue}"}
            axes.bar(row["ts"], row.get(venue) or 0.0, -width, bottom, **how)
            bottom += row.get(venue) or 0.0


def _handles(axes: Axes, look: Look, paid: pl.DataFrame | None = None) -> list[Artist]:
    handles: list[Artist] = [handle for handle in axes.get_legend_handles_labels()[0] if isinstance(handle, Artist)]
    if paid is not None and paid.height:
        named = {str(handle.get_gid()) for handle in handles}
        for venue, colour in _colours(paid, look=look).items():
            if venue not in named:
                handles += axes.plot([], [], "o", markersize=4, color=colour, label=f"paid, {venue}")
        if any(venue in named for venue in paid["venue"]):
            handles += axes.plot([], [], "o", markersize=4, color=look.theme.faint, label="paid, in the venue's colour")
    return handles
