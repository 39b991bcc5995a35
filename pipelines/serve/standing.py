"""How far an answer can be trusted: how old the data is, which venues are in it, and how whole their liquidations are."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from threading import Lock
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.lake import Lake
from warehouse.query import run

COVERED_HOURS = 24
KEPT_S = 3.0
_VENUES = f"""
SELECT venue, completeness, lower_bound, coverage_share, suspect_share FROM liquidation_totals_by_venue
WHERE hours = {COVERED_HOURS}
"""
_DATA = """
SELECT greatest(max(appended_last), max(ts_commit) FILTER (appended_last IS NULL)) AS data_to FROM ingest_commits
WHERE ts_commit > (SELECT max(ts_commit) FROM ingest_commits) - INTERVAL 2 DAYS
"""
_SNAPSHOT = "SELECT id FROM ducklake_current_snapshot('lake')"


class Standing(NamedTuple):
    """The lake as of a moment. `data_to`: when Kafka took the newest record that is stored; `venues`: each one's liquidations
    in the last 24 hours: completeness, lower_bound, coverage_share, suspect_share."""

    snapshot: int
    data_to: datetime | None
    venues: Mapping[str, Mapping[str, Any]]

    def dated(self, as_of: datetime) -> dict[str, Any]:
        """Return the times that an answer as of a moment is told with."""
        age_s = None if self.data_to is None else round(max(0.0, (as_of - self.data_to).total_seconds()), 3)
        return {"as_of": iso(as_of), "data_to": iso(self.data_to), "age_s": age_s}


def aged(told: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return what an answer says of itself, with its age as of `now`: it may have been made a while ago, as `as_of` says."""
    if told["data_to"] is None:
        return dict(told)
    data_to = datetime.fromisoformat(told["data_to"].removesuffix("Z"))
    return {**told, "age_s": round(max(0.0, (now - data_to).total_seconds()), 3)}


class Standings:
    """Looks no more often than every few seconds. For the lake as it is now; of the past each time."""

    def __init__(self) -> None:
        self._kept: tuple[float, Standing] | None = None
        self._lock = Lock()

    def of(self, lake: Lake, is_now: bool) -> Standing:
        """Return the standing of the lake; the connection's as_of is set already."""
        kept = self._kept
        if is_now and kept and time.monotonic() - kept[0] < KEPT_S:
            return kept[1]
        found = _look(lake)
        if is_now:
            with self._lock:
                self._kept = time.monotonic(), found
        return found


def times(lake: Lake, as_of: datetime) -> dict[str, Any]:
    """Return the times alone that an answer as of a moment is told with; the whole standing takes longer."""
    return Standing(0, _data_to(lake), {}).dated(as_of)


def _data_to(lake: Lake) -> datetime | None:
    row = lake.connection.execute(_DATA).fetchone()
    return row[0] if row else None


def _look(lake: Lake) -> Standing:
    snapshot = lake.connection.execute(_SNAPSHOT).fetchone()
    rows = run(lake, _VENUES).frame().to_dicts()
    venues = {row["venue"]: {name: value for name, value in row.items() if name != "venue"} for row in rows}
    return Standing(snapshot[0] if snapshot else 0, _data_to(lake), venues)


def told(standing: Standing, as_of: datetime, rows: pa.Table, is_of_liquidations: bool) -> dict[str, Any]:
    """Return what an answer says of itself; of rows that are no liquidations whether they are whole is null.

    `coverage_share` and `lower_bound` are the rows' own where they have them, else of their venues over 24 hours.
    """
    names = _in(rows, "venue") or sorted({name for each in _in(rows, "venues") for name in each.split(", ")})
    venues = names or sorted(standing.venues)
    found: dict[str, Any] = {
        **standing.dated(as_of),
        "snapshot": standing.snapshot,
        "venues": venues,
        "completeness": None, "coverage_share": None, "lower_bound": None, "covered_hours": None,
    }  # fmt: skip
    if is_of_liquidations:
        theirs = [standing.venues[name] for name in venues if name in standing.venues]
        classes = _in(rows, "completeness") or [each["completeness"] for each in theirs if each["completeness"]]
        shares = _values(rows, "coverage_share")
        bounds = _values(rows, "lower_bound")
        found |= {
            "completeness": sorted({name for each in classes for name in each.split(", ")}),
            "coverage_share": _least([each["coverage_share"] for each in theirs] if shares is None else shares),
            "lower_bound": _any([each["lower_bound"] for each in theirs] if bounds is None else bounds),
            "covered_hours": COVERED_HOURS if shares is None else None,
        }
    return found


def _in(rows: pa.Table, name: str) -> list[str]:
    if name not in rows.column_names or not pa.types.is_string(rows.schema.field(name).type):
        return []
    return sorted(each for each in pc.unique(rows[name]).to_pylist() if each)


def _values(rows: pa.Table, name: str) -> list[Any] | None:
    return rows[name].to_pylist() if name in rows.column_names else None


def _least(shares: Iterable[float | None]) -> float | None:
    return min((share for share in shares if share is not None), default=None)


def _any(values: Iterable[bool | None]) -> bool | None:
    known = list(values)
    return True if True in known else None if not known or None in known else False


def iso(moment: datetime | None) -> str | None:
    """Return a UTC time as text."""
    return None if moment is None else moment.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
