"""Where known accounts would be liquidated, into `measured_levels`, by the SQL of `measured_levels_at`."""

from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from warehouse.lake import Lake, quoted
from warehouse.tables import TABLES
from warehouse.writer import replace

HOUR = timedelta(hours=1)
SETTLED = timedelta(minutes=2)
BACK = timedelta(days=2)
FIRST = "SELECT min(ts_event) FROM account_positions WHERE ts_event > $since AND ts_event <= $until"
LOOKED_AT = "SELECT DISTINCT ts FROM measured_levels WHERE ts > $since"
NEWEST_MAP = "SELECT max(ts) FROM liquidation_levels WHERE ts > $since AND ts <= $until"


class Measured(NamedTuple):
    """Times looked at, and rows stored."""

    columns: int = 0
    rows: int = 0


def measure(lake: Lake, now: datetime) -> Measured:
    """Store the measured levels of each full hour not looked at yet, and of the newest estimated map; return what was done.

    Times are UTC. An hour that is stored stays as it is; the newest column is replaced by the next. Where nobody's positions
    are known there is nothing to do. Run twice, the second changes nothing.
    """
    span = {"since": now - BACK, "until": now - SETTLED}
    (first,) = lake.connection.execute(FIRST, span).fetchone() or (None,)
    if first is None:
        return Measured()
    (newest,) = lake.connection.execute(NEWEST_MAP, {"since": now - HOUR, "until": now}).fetchone() or (None,)
    stored = {ts for (ts,) in lake.connection.execute(LOOKED_AT, {"since": now - BACK}).fetchall()}
    hours = [at for at in _hours(first, now - SETTLED) if at not in stored]
    wanted = hours + ([newest] if newest and newest > first and newest not in stored | set(hours) else [])
    return Measured(len(wanted), sum(_store(lake, at, now) for at in wanted))


def _hours(first: datetime, last: datetime) -> list[datetime]:
    begin = first.replace(minute=0, second=0, microsecond=0) + HOUR
    return [begin + number * HOUR for number in range(max(0, (last - begin) // HOUR + 1))]


def _store(lake: Lake, at: datetime, now: datetime) -> int:
    """Replace the column of a time; with one that is of no full hour also others of none."""
    rows = lake.connection.execute(
        "SELECT $at::TIMESTAMP AS ts, * FROM measured_levels_at($at::TIMESTAMP)", {"at": at}
    ).pl()
    table = TABLES["measured_levels"]
    found = rows.select(pl.col(name).cast(kind) for name, kind in table.schema.items()).sort(table.sort)
    where = f"ts = TIMESTAMP {quoted(str(at))}"
    if at.minute or at.second:
        where += f" OR (ts > TIMESTAMP {quoted(str(now - BACK))} AND (minute(ts) <> 0 OR second(ts) <> 0))"
    return replace(lake, table.name, found, where)[1]
