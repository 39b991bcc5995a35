"""Each venue's state now, from what came last and from what is known of its feeds. Pure.

LIVE: data comes. LATE: the newest is older than is to be expected. SUSPECT, SILENT: connected, and silent for too long.
GAP: not heard, or not heard whole.
"""

from datetime import datetime
from typing import Any, NamedTuple

from pipelines.watch.sight import Rows
from pipelines.watch.words import age

LATE_S, GAP_S = 15.0, 90.0
"""Older than the grid's time and so much, what came last is late; so much more, the venue is not heard."""


class Feed(NamedTuple):
    """A venue. newest_s, liquidation_s: the age of the newest frame, and of the newest about liquidations. lag_s: since the
    last commit. said: why it is not LIVE."""

    venue: str
    state: str
    newest_s: float | None
    liquidation_s: float | None
    lag_s: float | None
    frames_s: float
    said: str = ""


def feeds(heard: Rows, states: Rows, gaps: Rows, now: datetime, grid_s: int) -> list[Feed]:
    """Return the venues by name. `heard`: what came last, committed; `states`, `gaps`: as worked out minutes later."""
    venues = sorted({row["venue"] for row in (*heard, *states) if row["venue"]})
    return [_feed(venue, heard, states, gaps, now, grid_s) for venue in venues]


def _feed(venue: str, heard: Rows, states: Rows, gaps: Rows, now: datetime, grid_s: int) -> Feed:
    own = [row for row in heard if row["venue"] == venue]
    newest = _age(own, "newest", now)
    lag = _age(own, "committed", now)
    state, said = _state(venue, newest, states, gaps, grid_s)
    liquidations = _age([row for row in own if row["what"] == "liquidations"], "newest", now)
    return Feed(venue, state, newest, liquidations, lag, sum(row["frames"] for row in own) / 10, said)


def _state(venue: str, newest: float | None, states: Rows, gaps: Rows, grid_s: int) -> tuple[str, str]:
    late = LATE_S + grid_s
    if newest is None:
        return "GAP", "nothing for half an hour"
    if newest > late + GAP_S:
        return "GAP", f"nothing for {age(newest)}"
    for word in ("SILENT", "SUSPECT"):
        for row in states:
            if row["venue"] == venue and row["state"] == word:
                return word, f"{row['channel']}: {row['reason'] or 'silent'}"
    for row in gaps:
        if row["venue"] == venue:
            return "GAP", f"{row['channels']} channels not whole: {row['reason'] or 'not known why'}"
    if newest > late:
        return "LATE", f"the newest is {age(newest)} old, expected within {age(late)}"
    return "LIVE", ""


def _age(rows: list[dict[str, Any]], column: str, now: datetime) -> float | None:
    times = [row[column] for row in rows if row[column] is not None]
    return max(0.0, (now - max(times)).total_seconds()) if times else None
