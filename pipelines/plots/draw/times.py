"""The time axis: every tick is a whole time, and the first of each day says the day."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, num2date
from matplotlib.ticker import Formatter

from pipelines.plots.told import Told

SECOND_S, DAY_S, MONTH_S = 1.0, 86400.0, 27 * 86400.0
TICK_PX, LEAST_TICKS, MOST_TICKS = 95, 3, 12
ROOM = 0.012
"""Free at both ends of the axis, a part of the time, so that the first and the newest points are whole."""


class Times(Formatter):
    """16:51:05, 16:51 or 30 Nov, as the ticks' distance asks; below the first time of each day, the day."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return a text for each tick; values: matplotlib's days."""
        step = min((later - value for value, later in pairwise(values)), default=1 / 1440) * DAY_S
        pattern, daily = _pattern(step)
        said, day = [], ""
        for value in values:
            at = num2date(value)  # type: ignore[no-untyped-call]
            text, of = f"{at:{pattern}}", f"{at.day} {at:%b}"
            said.append(f"{text}\n{of if of != day else ' '}" if daily else text)
            day = of
        return said

    def __call__(self, value: float, pos: int | None = None) -> str:  # noqa: ARG002
        """Return the text of one time alone, such as that under a pointer."""
        return f"{num2date(value):%Y-%m-%d %H:%M:%S}"  # type: ignore[no-untyped-call]


def time_axis(axes: Axes, told: Told, room: float = ROOM, bars: tuple[datetime, datetime] | None = None) -> None:
    """Show [since, until) on the time axis, in UTC, with `room` (a part of it) at both ends.

    `bars`: start of the first and end of the last bar, which are shown whole.
    """
    first, last = bars or (told.since, told.until)
    since, until = min(told.since, first), max(told.until, last)
    free: timedelta = (until - since) * room
    axes.set_xlim(since - free, until + free)  # type: ignore[arg-type]  # matplotlib takes datetimes on a date axis
    figure = axes.figure
    wide = figure.get_figwidth() * axes.get_position().width * 72  # type: ignore[union-attr]
    most = min(max(int(wide / (TICK_PX * 0.66)), LEAST_TICKS), MOST_TICKS)
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=LEAST_TICKS, maxticks=most))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(Times())
    axes.set_xlabel("time, UTC")


def _pattern(step_s: float) -> tuple[str, bool]:
    """Return how to write times at that distance, and whether the day is written beside them."""
    if step_s >= MONTH_S:
        return "%b %Y", False
    if step_s >= DAY_S * 0.9:
        return "%d %b", False
    if step_s >= 59:
        return "%H:%M", True
    return ("%H:%M:%S" if step_s >= SECOND_S * 0.9 else "%H:%M:%S.%f"), True
