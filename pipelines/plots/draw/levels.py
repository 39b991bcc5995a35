"""The liquidation map: estimated liquidations by price at one time, and summed outward from the price."""

from typing import Any

import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from pipelines.plots.draw import numbers
from pipelines.plots.draw.sheet import SMALL_PT, Look, Sheet, legend, second_axis, sheet
from pipelines.plots.told import NOT_SCORED, Score, Told

MEASURED_HIGH = 0.6


def liquidation_map(
    bins: pl.DataFrame, price_now: float, pain: dict[str, float | None], score: Score | None, told: Told, look: Look,
    measured: pl.DataFrame | None = None,
) -> Sheet:  # fmt: skip
    """Draw bars by price, stacked by leverage (more is darker, on a dark theme brighter), the sums outward, the price, and max
    pain of each side.

    bins: position_side, leverage, price_low, price_high, usd, cumulative_usd (of all leverages, outward, to this bin);
    leverage 0: of a model that knows none.
    pain: price of max pain by position_side, or None. measured: position_side, price_low, price_high, usd of what is no
    estimate; drawn hollow, its highest bar as high as MEASURED_HIGH of the estimate's.
    """
    said = told._replace(notes=(NOT_SCORED if score is None else str(score), *told.notes))
    unit = "bars: USD that would be liquidated, estimated, per price bin; lines: summed from the price outward"
    figure = sheet(look, "estimated liquidation map", unit, said)
    axes = figure.axes[0]
    leverages = sorted(bins["leverage"].unique())
    _bars(axes, bins, leverages, look)
    highest = _headroom(axes, bins)
    hollow = _hollow(axes, measured, highest, look) if measured is not None and measured.height else []
    sums = second_axis(axes, look.theme)
    _sums(sums, bins, look)
    _marks(axes, price_now, pain, highest, look)
    axes.xaxis.set_major_formatter(FuncFormatter(numbers.price))
    axes.xaxis.set_major_locator(MaxNLocator(12))
    axes.set_xlabel("price, USD per coin")
    axes.set_ylabel("USD per price bin, estimated")
    axes.yaxis.set_major_formatter(FuncFormatter(numbers.usd))
    _legend(axes, leverages, look, hollow)
    return figure


def _bars(axes: Axes, bins: pl.DataFrame, leverages: list[float], look: Look) -> None:
    for side in ("long", "short"):
        rows = bins.filter(pl.col("position_side") == side).sort("price_low", "leverage")
        rows = rows.with_columns(bottom=pl.col("usd").cum_sum().over("price_low") - pl.col("usd"))
        for number, leverage in enumerate(leverages):
            some = rows.filter(pl.col("leverage") == leverage)
            colour = look.palette.shade(side, number / max(len(leverages) - 1, 1))
            wide = (some["price_high"] - some["price_low"]).to_numpy() * 0.92
            low, usd = some["price_low"].to_numpy(), some["usd"].to_numpy()
            drawn = axes.bar(
                low, usd, wide, some["bottom"].to_numpy(), align="edge", color=colour, linewidth=0, zorder=3
            )
            for bar in drawn:
                bar.set_gid(_named(side, leverage))


def _hollow(axes: Axes, measured: pl.DataFrame, highest: float, look: Look) -> list[Artist]:
    """Draw the outline of what is measured over the bars; return what the legend says of it."""
    most = float(measured["usd"].max() or 1)  # type: ignore[arg-type]
    for side in ("long", "short"):
        some = measured.filter(pl.col("position_side") == side)
        wide = (some["price_high"] - some["price_low"]).to_numpy()
        height = (some["usd"] / most * highest * MEASURED_HIGH).to_numpy()
        low = some["price_low"].to_numpy()
        how: Any = {"align": "edge", "fill": False, "edgecolor": look.theme.ink, "linewidth": 0.9, "zorder": 6}
        for bar in axes.bar(low, height, wide, **how):
            bar.set_gid(f"measured {side}")
    label = f"measured, highest {numbers.usd(most)} USD"
    return [Patch(fill=False, edgecolor=look.theme.ink, linewidth=0.9, label=label)]


def _headroom(axes: Axes, bins: pl.DataFrame) -> float:
    """Leave room above the bars for what is written there, and return how high the highest is."""
    highest = float(bins.group_by("position_side", "price_low").agg(pl.col("usd").sum())["usd"].max() or 1)  # type: ignore[arg-type]
    axes.set_ylim(0, highest * 1.25)
    low, high = float(bins["price_low"].min()), float(bins["price_high"].max())  # type: ignore[arg-type]
    free = (high - low) * 0.01  # no bar ends at the frame
    axes.set_xlim(low - free, high + free)
    return highest


def _sums(axes: Axes, bins: pl.DataFrame, look: Look) -> None:
    for side in ("long", "short"):
        outward = (
            bins.filter(pl.col("position_side") == side)
            .group_by("price_low", "price_high")
            .agg(pl.col("cumulative_usd").max())
            .sort("cumulative_usd")
        )
        edge = outward["price_low" if side == "long" else "price_high"].to_numpy()
        (line,) = axes.plot(
            edge, outward["cumulative_usd"].to_numpy(), color=look.palette.solid(side), linewidth=2, zorder=4
        )
        line.set_gid(f"sum {side}")
    axes.set_ylim(0, max(float(bins["cumulative_usd"].max() or 1), 1e-9) * 1.25)  # type: ignore[arg-type]
    axes.yaxis.set_major_formatter(FuncFormatter(numbers.usd))
    axes.set_ylabel("sum from the price outward, USD, estimated")


def _marks(axes: Axes, price_now: float, pain: dict[str, float | None], highest: float, look: Look) -> None:
    axes.axvline(price_now, color=look.theme.ink, linewidth=1.4, linestyle=(0, (4, 3)), zorder=5, gid="price")
    _said(axes, price_now, highest * 1.2, f"price {numbers.price(price_now)}", look, "center")
    for side, at in pain.items():
        if at is not None:
            colour = look.palette.solid(side)
            axes.axvline(at, color=colour, linewidth=1.2, linestyle=":", zorder=5, gid=f"max pain {side}")
            low, high = axes.get_xlim()
            away = (
                "right"
                if at > low + 0.85 * (high - low) or (side == "long" and at > low + 0.15 * (high - low))
                else "left"
            )
            _said(axes, at, highest * 1.1, f"max pain, {side}s {numbers.price(at)}", look, away)


def _said(axes: Axes, at: float, height: float, text: str, look: Look, side: str) -> None:
    axes.text(
        at, height, text, color=look.theme.ink, ha=side, va="center", size=SMALL_PT, zorder=8,
        bbox={"boxstyle": "square,pad=0.3", "color": look.theme.paper, "alpha": 0.85},
    )  # fmt: skip


def _named(side: str, leverage: float) -> str:
    return f"{side} {leverage:g}x" if leverage else side


def _legend(axes: Axes, leverages: list[float], look: Look, further: list[Artist]) -> None:
    """Two rows, shorts above longs: a column a leverage, the sums, and `further`."""
    sides = ("short", "long")
    handles: list[Artist] = [
        Patch(color=look.palette.shade(side, number / max(len(leverages) - 1, 1)), label=_named(f"{side}s", leverage))
        for number, leverage in enumerate(leverages)
        for side in sides
    ]
    for side in sides:
        handles.append(Line2D([], [], color=look.palette.solid(side), linewidth=2, label=f"sum of {side}s outward"))
    legend(axes, handles + further, look, rows=2)
