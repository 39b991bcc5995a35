"""The sheet every picture is drawn on: title, time and unit above, sources and what is missing below, axes between."""

import textwrap
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from pipelines.plots.draw.palettes import FAINT, GRID, INK, NOTES, PALETTES, Palette
from pipelines.plots.settings import PaletteName
from pipelines.plots.told import Told

TITLE_PT, TEXT_PT, SMALL_PT = 14.0, 9.5, 8.5
MARGIN_PX = 14
LEFT_IN = 0.95


class Look(NamedTuple):
    """How a picture is drawn: its colours, and its size in pixels at `dpi` dots per inch."""

    palette: Palette = PALETTES[PaletteName.SEED]
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
    look: Look, title: str, unit: str, told: Told, *, rows: tuple[float, ...] = (1.0,), right: float = 1.1
) -> Sheet:
    """Return a figure with its words and empty axes below each other, of the relative heights `rows`, sharing the time.

    unit: what the colours or bars are in. right: inches kept for what is right of the axes.
    """
    with mpl.rc_context({"text.color": INK, "axes.edgecolor": FAINT, "axes.labelcolor": INK, "font.size": TEXT_PT}):
        figure = Sheet(figsize=(look.width / look.dpi, look.height / look.dpi), dpi=look.dpi, facecolor="white")
        below = _footer(figure, look, told)
        above = _heading(figure, look, f"{told.subject} · {title}", f"{told.span} · {unit}")
        grid = figure.add_gridspec(
            len(rows),
            height_ratios=rows,
            hspace=0.1,
            left=LEFT_IN * look.dpi / look.width,
            right=1 - right * look.dpi / look.width,
            bottom=below,
            top=above,
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
    locator = AutoDateLocator(minticks=4, maxticks=12)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlabel("time, UTC")


def price_axis_right(axes: Axes) -> None:
    """Put the axis' ticks and its label on the right."""
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")


def legend(axes: Axes, handles: Sequence[Artist], in_row: int = 0) -> None:
    """Show the legend above the axes, in rows (of `in_row` entries, or as many as fit), and move all axes down for them."""
    figure = axes.figure
    width = figure.get_figwidth() * figure.dpi * axes.get_position().width  # type: ignore[union-attr]
    letters = max(len(str(handle.get_label())) for handle in handles) + 6
    fit = max(int(width / (letters * SMALL_PT * figure.dpi / 72 * 0.56)), 1)
    in_row = min(in_row or fit, fit, len(handles))
    axes.legend(handles=handles, ncols=in_row, loc="lower left", bbox_to_anchor=(0, 1), fontsize=SMALL_PT, frameon=False,
                borderaxespad=0.3, handlelength=1.4, columnspacing=1.4)  # fmt: skip
    line = 1.75 * SMALL_PT / 72 / figure.get_figheight()  # type: ignore[union-attr]
    _lower(figure.axes, line * -(-len(handles) // in_row))


def _lower(all_axes: list[Axes], by: float) -> None:
    top = max(axes.get_position().y1 for axes in all_axes)
    bottom = min(axes.get_position().y0 for axes in all_axes)
    shrink = (top - by - bottom) / (top - bottom)
    boxes = [axes.get_position() for axes in all_axes]  # all before the first is moved: one on another axis moves along
    for axes, box in zip(all_axes, boxes, strict=True):
        axes.set_position((box.x0, bottom + (box.y0 - bottom) * shrink, box.width, box.height * shrink))


def _plain(axes: Axes) -> None:
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=FAINT, labelcolor=INK, labelsize=SMALL_PT)


def _heading(figure: Figure, look: Look, title: str, second: str) -> float:
    titles = textwrap.wrap(title, _letters(look, TITLE_PT * 1.15))
    top, left = 1 - MARGIN_PX / look.height, MARGIN_PX / look.width
    said = "\n".join(titles)
    figure.text(left, top, said, size=TITLE_PT, weight="bold", va="top", linespacing=1.2, parse_math=False)
    top -= (0.25 + 1.2 * len(titles)) * _points(look, TITLE_PT)
    lines = textwrap.wrap(second, _letters(look, TEXT_PT))
    figure.text(
        MARGIN_PX / look.width,
        top,
        "\n".join(lines),
        size=TEXT_PT,
        va="top",
        color=FAINT,
        linespacing=1.3,
        parse_math=False,
    )
    return top - (0.6 + 1.3 * len(lines)) * _points(look, TEXT_PT)


def _footer(figure: Figure, look: Look, told: Told) -> float:
    """Write sources and notes at the bottom and return where the axes may end, a share of the height."""
    letters = _letters(look, SMALL_PT)
    lines = [
        line for note in (f"Venues: {told.venues or 'none'}", *told.notes) for line in textwrap.wrap(note, letters)
    ]
    figure.text(
        MARGIN_PX / look.width, MARGIN_PX / look.height, "\n".join(lines), size=SMALL_PT, va="bottom", color=NOTES,
        linespacing=1.3, parse_math=False,
    )  # fmt: skip
    line = _points(look, SMALL_PT) * 1.3
    return MARGIN_PX / look.height + line * len(lines) + 4.6 * line


def _letters(look: Look, points: float) -> int:
    return int((look.width - 2 * MARGIN_PX) / (points * look.dpi / 72 * 0.58))


def _points(look: Look, points: float) -> float:
    return points * look.dpi / 72 / look.height
