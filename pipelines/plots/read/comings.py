"""Contracts whose data begin or end inside a picture: a sum over contracts steps there, but no position changed."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import polars as pl

from pipelines.plots.draw import numbers

NOTABLE = 0.03
"""A step is shown as a gap from this part of the whole on."""
TOGETHER = 0.03
"""Steps so near to each other, as a part of the time, are one."""
NAMED = 3


class Coming(NamedTuple):
    """Between `before` and `at`, times of the grid, contracts of these venues came (or went)."""

    before: datetime
    at: datetime
    came: frozenset[tuple[str, str]]
    went: frozenset[tuple[str, str]]

    @property
    def words(self) -> str:
        """What came and went: a venue, then `comes (4 contracts)`."""
        parts = []
        for verb, contracts in (("comes", self.came), ("goes", self.went)):
            for venue in sorted({venue for venue, _ in contracts}):
                count = sum(each[0] == venue for each in contracts)
                parts.append(f"{venue} {verb} ({count} contract{'s' if count > 1 else ''})")
        return ", ".join(parts)


def comings(held: pl.DataFrame, span: timedelta) -> list[Coming]:
    """Return where contracts come or go that are a notable part of the sum. held: ts, venue, symbol, oi_usd."""
    values: dict[datetime, dict[tuple[str, str], float]] = {}
    for ts, venue, symbol, usd in held.select("ts", "venue", "symbol", "oi_usd").sort("ts").iter_rows():
        values.setdefault(ts, {})[venue, symbol] = usd
    found: list[Coming] = []
    for (before, old), (at, new) in pairwise(values.items()):
        came, went = new.keys() - old.keys(), old.keys() - new.keys()
        moved = sum(new[each] for each in came) + sum(old[each] for each in went)
        if moved < NOTABLE * max(sum(new.values()), sum(old.values())):
            continue
        one = Coming(before, at, frozenset(came), frozenset(went))
        if found and at - found[-1].at <= span * TOGETHER:
            last = found.pop()
            one = Coming(last.before, at, last.came | one.came, last.went | one.went)
        found.append(one)
    return found


def with_gaps(by_venue: pl.DataFrame, found: list[Coming]) -> pl.DataFrame:
    """Return ts, venue, oi_usd with a null in each gap, so that no line is drawn over it, and nothing else inside."""
    venues = by_venue["venue"].unique().sort().to_list()
    for each in found:
        middle = each.before + (each.at - each.before) / 2
        empty = {"ts": [middle] * len(venues), "venue": venues, "oi_usd": [None] * len(venues)}
        outside = (pl.col("ts") <= each.before) | (pl.col("ts") >= each.at)
        by_venue = pl.concat([by_venue.filter(outside), pl.DataFrame(empty, schema=by_venue.schema)])
    return by_venue.sort("ts", "venue")


def after(held: pl.DataFrame, found: list[Coming]) -> tuple[str, ...]:
    """Return a note on what the contracts that were there before the last gap have done since: the areas do not show it."""
    if not found or held.is_empty():
        return ()
    gap = found[-1]
    end: datetime = held["ts"].max()  # type: ignore[assignment]
    both = held.filter(pl.col("ts") == gap.before).join(
        held.filter(pl.col("ts") == end), on=["venue", "symbol"], suffix="_now"
    )
    then, now = float(both["oi_usd"].sum()), float(both["oi_usd_now"].sum())
    if not then:
        return ()
    which = "contract" if both.height == 1 else f"{both.height} contracts"
    return (f"The {which} on both sides of the gap: {numbers.usd(then)} before it, {numbers.usd(now)} at {end:%d %b %H:%M} "
            f"({now / then - 1:+.1%})",)  # fmt: skip


def notes(found: list[Coming]) -> tuple[str, ...]:
    """Return a note that names the gaps."""
    if not found:
        return ()
    said = "; ".join(f"{each.at:%d %b %H:%M} {each.words}" for each in found[:NAMED])
    more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return (f"A gap is where contracts begin or end, which is no change of open interest: {said}{more}",)
