"""`find`: look at full hours with the SQL of `signals_at`, store what fired in `signals`, count all in `signal_hours`."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from warehouse.lake import Lake, quoted
from warehouse.statements import rollup
from warehouse.tables import TABLES
from warehouse.writer import replace

HOUR = timedelta(hours=1)
SETTLED = timedelta(minutes=10)  # an hour's rows, bars and levels are in the lake by then; signals_hour() says the same
FIRST_RUN = timedelta(days=2)
BACK = timedelta(days=7)
AT_ONCE = 24


class Found(NamedTuple):
    """Hours looked at, and signals that fired in them."""

    hours: int = 0
    signals: int = 0


def find(
    lake: Lake, now: datetime, since: datetime | None = None, until: datetime | None = None,
    tell: Callable[[datetime], object] = lambda _: None,
) -> Found:  # fmt: skip
    """Check the hours that were not checked yet, oldest first, and return what was found. Times are UTC.

    An hour that was looked at stays as it is: what is learnt later changes no past signal. Only hours over for `SETTLED`
    and not later than the newest price are looked at, so that none is frozen before its rows came. The first time it looks
    back `FIRST_RUN` from `now`; later on at what was left out since the oldest hour it knows, and `BACK` at most. With
    `since` (and `until`) the hours from there on are looked at anew, with what is known at `now`, which computed_ts tells.
    `tell` hears of each hour done. Raises WarehouseError; hours done stay done.
    """
    hours = _hours(lake, now, since, until)
    done = Found()
    for first in range(0, len(hours), AT_ONCE):
        part = hours[first : first + AT_ONCE]
        rows = pl.concat([_look(lake, hour, tell) for hour in part], how="vertical_relaxed")
        done = Found(done.hours + len(part), done.signals + _store(lake, part, rows, now))
    return done


def _hours(lake: Lake, now: datetime, since: datetime | None, until: datetime | None) -> list[datetime]:
    query = "SELECT min(hour), max(last_minute) + INTERVAL 1 MINUTE FROM prices_1h WHERE hour < $now"
    oldest, newest = lake.connection.execute(query, {"now": now}).fetchone() or (None, None)
    if newest is None:
        return []
    last = _floor(min(now - SETTLED, newest, until or newest))
    looked = {ts for (ts,) in lake.connection.execute("SELECT DISTINCT ts FROM signal_hours").fetchall()}
    back = max(last - BACK, min(looked)) if looked else last - FIRST_RUN
    first = _ceiling(since) if since else max(back, oldest + HOUR)
    every = [first + number * HOUR for number in range((last - first) // HOUR + 1)]
    return every if since else [hour for hour in every if hour not in looked]


def _look(lake: Lake, hour: datetime, tell: Callable[[datetime], object]) -> pl.DataFrame:
    rows = lake.connection.execute(rollup("signals").body, {"hour": hour}).pl()
    tell(hour)
    wanted = {name: kind for name, kind in TABLES["signals"].schema.items() if name != "computed_ts"}
    return rows.select(pl.col("fired").cast(pl.Boolean), *(pl.col(name).cast(kind) for name, kind in wanted.items()))


def _store(lake: Lake, hours: Sequence[datetime], rows: pl.DataFrame, now: datetime) -> int:
    """Store what fired, then which hours were looked at: where it stops between, they are looked at again."""
    at = pl.lit(now, pl.Datetime("us")).alias("computed_ts")
    where = f"ts IN ({', '.join(f'TIMESTAMP {quoted(str(hour))}' for hour in hours)})"
    fired = rows.filter(pl.col("fired")).with_columns(at)
    stored = replace(lake, "signals", fired.select(TABLES["signals"].schema.names()), where)[1]
    replace(lake, "signal_hours", _counted(lake, hours, rows).with_columns(at), where)
    return stored


def _counted(lake: Lake, hours: Sequence[datetime], rows: pl.DataFrame) -> pl.DataFrame:
    """Return a row for every hour and signal there is: an hour of which nothing is known was looked at too."""
    named = lake.connection.execute("SELECT DISTINCT signal, version AS thresholds_version FROM signal_thresholds").pl()
    every = pl.DataFrame({"ts": hours}, schema={"ts": pl.Datetime("us")}).join(named, how="cross")
    counts = rows.group_by("ts", "signal").agg(
        fired=pl.col("fired").sum(), not_fired=(~pl.col("fired")).sum(), not_known=pl.col("fired").is_null().sum()
    )
    numbers = pl.col("fired", "not_fired", "not_known").fill_null(0).cast(pl.Int64)
    return every.join(counts, on=["ts", "signal"], how="left").with_columns(numbers)


def _floor(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _ceiling(at: datetime) -> datetime:
    return _floor(at) if at == _floor(at) else _floor(at) + HOUR
