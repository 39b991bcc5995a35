"""The sheet every picture is drawn on: title, time and unit above, sources and what is missing below, axes between."""

import textwrap
from io import BytesIO
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from pipelines.plots.draw.palettes import FAINT, GRID, INK, Palette, palette
from pipelines.plots.told import Told

TITLE_PT, TEXT_PT, SMALL_PT = 14.0, 9.5, 8.5
MARGIN_PX = 14


class Look(NamedTuple):
    """How a picture is drawn: its colours, and its size in pixels at `dpi` dots per inch."""

    palette: Palette = palette("seed")
    width: int = 1600
    height: int = 900
    dpi: int = 110


class Sheet(Figure):
    """A matplotlib Figure that a notebook shows by itself, without pyplot."""

    def _repr_png_(self) -> bytes:
        out = BytesIO()
        self.savefig(out, format="png")
        return out.getvalue()


def sheet(
    look: Look, title: str, unit: str, told: Told, *, rows: tuple[float, ...] = (1.0,), right: float = 0.075
) -> Sheet:
    """Return a figure with its words and empty axes below each other, of the relative heights `rows`, sharing the time.

    unit: what the colours or bars are in. right: share of the width kept for the labels of the right axis.
    """
    with mpl.rc_context({"text.color": INK, "axes.edgecolor": FAINT, "axes.labelcolor": INK, "font.size": TEXT_PT}):
        figure = Sheet(figsize=(look.width / look.dpi, look.height / look.dpi), dpi=look.dpi, facecolor="white")
        below = _footer(figure, look, told)
        above = _heading(figure, look, f"{told.subject} · {title}", f"{told.span} · {unit}")
        grid = figure.add_gridspec(
            len(rows), height_ratios=rows, hspace=0.1, left=0.065, right=1 - right, bottom=below, top=above
        )
        first: Axes | None = None
        for number in range(len(rows)):
            axes = figure.add_subplot(grid[number], sharex=first)
            first = first or axes
            _plain(axes)
            if number < len(rows) - 1:
                axes.tick_params(labelbottom=False)
    return figure


def time_axis(axes: Axes, told: Told) -> None:
    """Show [since, until) on the time axis, in UTC."""
    axes.set_xlim(told.since, told.until)  # type: ignore[arg-type]  # matplotlib takes datetimes on a date axis
    locator = AutoDateLocator(minticks=4, maxticks=12)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_xlabel("time, UTC")


def price_axis_right(axes: Axes) -> None:
    """Put the axis' ticks and its label on the right."""
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")


def legend(axes: Axes, **other: object) -> None:
    """Show the legend inside the axes, on white, above everything drawn."""
    shown = axes.legend(**({"loc": "upper left", "fontsize": SMALL_PT, "framealpha": 0.9, "edgecolor": GRID} | other))  # type: ignore[arg-type]
    shown.set_zorder(20)


def _plain(axes: Axes) -> None:
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=FAINT, labelcolor=INK, labelsize=SMALL_PT)


def _heading(figure: Figure, look: Look, title: str, second: str) -> float:
    line = _points(look, TITLE_PT)
    figure.text(MARGIN_PX / look.width, 1 - MARGIN_PX / look.height, title, size=TITLE_PT, weight="bold", va="top")
    top = 1 - MARGIN_PX / look.height - 1.45 * line
    figure.text(MARGIN_PX / look.width, top, second, size=TEXT_PT, va="top", color=FAINT)
    return top - 2.4 * _points(look, TEXT_PT)


def _footer(figure: Figure, look: Look, told: Told) -> float:
    """Write sources and notes at the bottom and return where the axes may end, a share of the height."""
    letters = int((look.width - 2 * MARGIN_PX) / (SMALL_PT * look.dpi / 72 * 0.56))
    lines = [
        line for note in (f"Venues: {told.venues or 'none'}", *told.notes) for line in textwrap.wrap(note, letters)
    ]
    figure.text(
        MARGIN_PX / look.width, MARGIN_PX / look.height, "\n".join(lines), size=SMALL_PT, va="bottom", color=FAINT,
        linespacing=1.3,
    )  # fmt: skip
    line = _points(look, SMALL_PT) * 1.3
    return MARGIN_PX / look.height + line * len(lines) + 4.6 * line


def _points(look: Look, points: float) -> float:
    return points * look.dpi / 72 / look.height
