"""A price written at the right of an axis, over no tick's label."""

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from pipelines.plots.draw import numbers
from pipelines.plots.draw.sheet import SMALL_PT, Look

CLEAR_PT = 1.9 * SMALL_PT
LETTER_PT = 0.62 * SMALL_PT


def price_tag(axes: Axes, value: float, look: Look) -> None:
    """Write `value` at the right of the axis of prices; ticks that lie under the tag keep their line and lose their label."""
    axes.annotate(
        numbers.price(value), (1, value), xycoords=("axes fraction", "data"), xytext=(5, 0),
        textcoords="offset points", va="center", color=look.theme.paper, size=SMALL_PT, zorder=7, annotation_clip=False,
        bbox={"boxstyle": "square,pad=0.25", "color": look.theme.ink}, gid="price tag",
    )  # fmt: skip

    def said(tick: float, _position: object = None) -> str:
        (_, here), (_, there) = axes.transData.transform([(0, tick), (0, value)])
        near = abs(here - there) < CLEAR_PT * axes.figure.dpi / 72
        return "" if near else numbers.price(tick)

    axes.yaxis.set_major_formatter(FuncFormatter(said))
    low, high = axes.get_ylim()
    ticks = [numbers.price(tick) for tick in axes.yaxis.get_major_locator()() if low <= tick <= high]
    wider = len(numbers.price(value)) - min(map(len, ticks), default=0)
    axes.yaxis.labelpad = 8 + max(wider, 0) * LETTER_PT  # the axis' own words go beside the tag
