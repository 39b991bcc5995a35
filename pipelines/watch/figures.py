"""Numbers out of what was read: the pulse of the last minute, the shout, sums over coins and venues. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from pipelines.watch.choice import Choice
from pipelines.watch.sight import Rows

SHOUT_USD = 10e6
"""So much in `SHOUT_S` seconds is shouted about."""
SHOUT_S = 10
PULSE_S = 60
COMPLETE = "all"


class Shout(NamedTuple):
    """The worst ten seconds of the last minute, where many millions went in them. parts: of coins, the largest first."""

    at: datetime
    usd: float
    long_share: float
    parts: tuple[tuple[str, float], ...]
    lower_bound: bool


class Total(NamedTuple):
    """What was liquidated in some hours; complete_usd: by feeds that send everything. lower_bound None: not known.

    coverage: the share of the hours that was heard, the lowest of the venues; None: not measured yet.
    """

    usd: float
    long_usd: float
    number: int
    largest: float | None
    lower_bound: bool | None
    coverage: float | None
    complete_usd: float = 0.0

    @property
    def long_share(self) -> float | None:
        """The longs' share of it, None of nothing."""
        return self.long_usd / self.usd if self.usd else None


def chosen(recent: pl.DataFrame, choice: Choice) -> pl.DataFrame:
    """Return the liquidations that are shown."""
    if choice.base:
        recent = recent.filter(pl.col("base") == choice.base)
    return recent.filter(pl.col("venue") == choice.venue) if choice.venue else recent


def pulse(recent: pl.DataFrame, now: datetime) -> list[float]:
    """Return the USD of each of the last `PULSE_S` full seconds, oldest first."""
    first = now.replace(microsecond=0) - timedelta(seconds=PULSE_S)
    found = dict(recent.group_by(pl.col("ts_event").dt.truncate("1s")).agg(pl.col("usd").sum()).iter_rows())
    return [float(found.get(first + timedelta(seconds=n)) or 0.0) for n in range(PULSE_S)]


def shout(recent: pl.DataFrame, now: datetime) -> Shout | None:
    """Return the worst `SHOUT_S` seconds that lie in the last minute, where more than `SHOUT_USD` went in them."""
    seconds = pulse(recent, now)
    starts = range(PULSE_S - SHOUT_S + 1)
    worst = max(starts, key=lambda n: (sum(seconds[n : n + SHOUT_S]), n))
    if sum(seconds[worst : worst + SHOUT_S]) < SHOUT_USD:
        return None
    since = now.replace(microsecond=0) - timedelta(seconds=PULSE_S - worst)
    until = since + timedelta(seconds=SHOUT_S)
    rows = recent.filter((pl.col("ts_event") >= since) & (pl.col("ts_event") < until))
    usd = float(rows["usd"].sum())
    longs = float(rows.filter(pl.col("position_side") == "long")["usd"].sum())
    coins = rows.group_by("base").agg(pl.col("usd").sum()).sort("usd", descending=True).head(4)
    return Shout(until, usd, longs / usd, tuple(coins.iter_rows()), bool((rows["completeness"] != COMPLETE).any()))


def total(rows: Iterable[dict[str, Any]]) -> Total:
    """Return the sum of rows of `totals`."""
    given = list(rows)
    bounds = [row["lower_bound"] for row in given]
    shares = {row["venue"]: row["coverage_share"] for row in given}
    return Total(
        usd=sum(row["usd"] or 0.0 for row in given),
        long_usd=sum(row["long_usd"] or 0.0 for row in given),
        number=sum(row["count"] for row in given),
        largest=max((row["largest_usd"] for row in given if row["largest_usd"] is not None), default=None),
        lower_bound=True if True in bounds else None if None in bounds or not bounds else False,
        coverage=None if None in shares.values() else min(shares.values(), default=None),
        complete_usd=sum(row["complete_usd"] or 0.0 for row in given),
    )


def totals(rows: Rows, by: str, hours: int, choice: Choice) -> dict[str, Total]:
    """Return by venue, or coin, what was liquidated of what is chosen, the most first."""
    groups: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["hours"] == hours and choice.keeps(row["base"], row["venue"]):
            groups[row[by] or "unknown"].append(row)
    summed = {name: total(of) for name, of in groups.items()}
    return dict(sorted(summed.items(), key=lambda item: -item[1].usd))


def overall(rows: Rows, hours: int, choice: Choice) -> Total:
    """Return what was liquidated of what is chosen."""
    return total(row for row in rows if row["hours"] == hours and choice.keeps(row["base"], row["venue"]))
