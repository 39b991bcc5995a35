"""The sheet every picture is drawn on: title, time and unit above, sources and what is missing below, axes between."""

import textwrap
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipelines.plots.draw.palettes import LIGHT, PALETTES, Palette, Theme
from pipelines.plots.settings import PaletteName
from pipelines.plots.told import Told

TITLE_PT, TEXT_PT, SMALL_PT = 14.0, 9.5, 8.5
MARGIN_PX = 14
LEFT_IN = 0.95


class Look(NamedTuple):
    """How a picture is drawn: its colours, its size in pixels at `dpi` dots per inch, and the theme that the palette is for."""

    palette: Palette = PALETTES[LIGHT.name][PaletteName.SEED]
    width: int = 1600
    height: int = 900
    dpi: int = 110
    theme: Theme = LIGHT


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
    with mpl.rc_context({"font.size": TEXT_PT}):
        size = (look.width / look.dpi, look.height / look.dpi)
        figure = Sheet(figsize=size, dpi=look.dpi, facecolor=look.theme.paper)
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
            plain(axes, look.theme)
            axes.grid(color=look.theme.grid, linewidth=0.6)
            axes.set_axisbelow(True)
            if number < len(rows) - 1:
                axes.tick_params(labelbottom=False)
    return figure


def price_axis_right(axes: Axes) -> None:
    """Put the axis' ticks and its label on the right."""
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")


def legend(axes: Axes, handles: Sequence[Artist], look: Look, rows: int = 1) -> None:
    """Show the legend above the axes, in `rows` or, where they do not fit, in more, and move all axes down for them.

    Handles go down the columns: with two rows the first two are below each other.
    """
    letters = look.width * axes.get_position().width / (SMALL_PT * look.dpi / 72 * 0.56)
    labels = [str(handle.get_label()) for handle in handles]
    while rows < len(handles) and sum(map(_widest, _columns(labels, rows))) > letters:
        rows += 1
    columns = len(_columns(labels, rows))
    axes.legend(handles=handles, ncols=columns, loc="lower left", bbox_to_anchor=(0, 1), fontsize=SMALL_PT, frameon=False,
                borderaxespad=0.3, handlelength=1.4, columnspacing=1.4, labelcolor=look.theme.ink)  # fmt: skip
    line = 1.75 * SMALL_PT * look.dpi / 72 / look.height
    _lower(axes.figure.axes, line * rows)


def _columns(labels: list[str], rows: int) -> list[list[str]]:
    """Return the labels as matplotlib parts them into columns, for the least of them that have no more than `rows`."""
    count = -(-len(labels) // rows)
    least, more = divmod(len(labels), count)
    ends = [least * number + min(number, more) for number in range(count + 1)]
    return [labels[begin:end] for begin, end in pairwise(ends)]


def _widest(column: list[str]) -> int:
    return max(map(len, column)) + 6


def _lower(all_axes: list[Axes], by: float) -> None:
    top = max(axes.get_position().y1 for axes in all_axes)
    bottom = min(axes.get_position().y0 for axes in all_axes)
    shrink = (top - by - bottom) / (top - bottom)
    boxes = [axes.get_position() for axes in all_axes]  # all before the first is moved: one on another axis moves along
    for axes, box in zip(all_axes, boxes, strict=True):
        axes.set_position((box.x0, bottom + (box.y0 - bottom) * shrink, box.width, box.height * shrink))


def plain(axes: Axes, theme: Theme) -> None:
    """Give axes the theme's colours and no frame but the line below."""
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(theme.faint)
    axes.tick_params(colors=theme.faint, labelcolor=theme.ink, labelsize=SMALL_PT)
    for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
        label.set_color(theme.ink)


def second_axis(axes: Axes, theme: Theme) -> Axes:
    """Return an axis of its own over `axes`, its ticks at the right, without a frame."""
    right = axes.twinx()
    plain(right, theme)
    right.spines["bottom"].set_visible(False)
    right.tick_params(length=2)
    price_axis_right(right)
    return right


def _heading(figure: Figure, look: Look, title: str, second: str) -> float:
    titles = textwrap.wrap(title, _letters(look, TITLE_PT * 1.15))
    top, left = 1 - MARGIN_PX / look.height, MARGIN_PX / look.width
    said = "\n".join(titles)
    figure.text(left, top, said, size=TITLE_PT, weight="bold", va="top", linespacing=1.2,
                color=look.theme.ink, parse_math=False)  # fmt: skip
    top -= (0.25 + 1.2 * len(titles)) * _points(look, TITLE_PT)
    lines = textwrap.wrap(second, _letters(look, TEXT_PT))
    figure.text(
        MARGIN_PX / look.width,
        top,
        "\n".join(lines),
        size=TEXT_PT,
        va="top",
        color=look.theme.faint,
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
        MARGIN_PX / look.width, MARGIN_PX / look.height, "\n".join(lines), size=SMALL_PT, va="bottom", color=look.theme.notes,
        linespacing=1.3, parse_math=False,
    )  # fmt: skip
    line = _points(look, SMALL_PT) * 1.3
    return MARGIN_PX / look.height + line * len(lines) + 4.6 * line


def _letters(look: Look, points: float) -> int:
    return int((look.width - 2 * MARGIN_PX) / (points * look.dpi / 72 * 0.58))


def _points(look: Look, points: float) -> float:
    return points * look.dpi / 72 / look.height
