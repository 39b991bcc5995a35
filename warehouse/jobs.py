"""When each job of a lake in PostgreSQL last ran, on whichever machine: a row a job, beside DuckLake's own tables.

Times are UTC seconds since 1970 by the clock of the machine that ran it, 0 for never.
"""

from typing import NamedTuple

from warehouse.beside import Beside
from warehouse.place import Place, quoted

TABLE = "liq_jobs"
MAKE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    name text PRIMARY KEY, host text NOT NULL, started_s double precision NOT NULL, ended_s double precision NOT NULL,
    succeeded_s double precision NOT NULL, failed_s double precision NOT NULL, error text NOT NULL
)
"""
THERE = f"SELECT to_regclass('{TABLE}') IS NOT NULL AS there"
LATER = f"""
ON CONFLICT (name) DO UPDATE SET
    host = CASE WHEN excluded.succeeded_s > {TABLE}.succeeded_s THEN excluded.host ELSE {TABLE}.host END,
    error = CASE WHEN excluded.failed_s > {TABLE}.failed_s THEN excluded.error ELSE {TABLE}.error END,
    started_s = greatest({TABLE}.started_s, excluded.started_s), ended_s = greatest({TABLE}.ended_s, excluded.ended_s),
    succeeded_s = greatest({TABLE}.succeeded_s, excluded.succeeded_s), failed_s = greatest({TABLE}.failed_s, excluded.failed_s)
"""


class Job(NamedTuple):
    """When a job last began, ended, succeeded (on `host`) and failed; `error`: of its last failure, one line."""

    name: str
    host: str
    started_s: float
    ended_s: float
    succeeded_s: float
    failed_s: float
    error: str


class Jobs:
    """The jobs of a lake. Every call raises duckdb.Error, WarehouseError where PostgreSQL is away."""

    def __init__(self, place: Place) -> None:
        self._session = Beside(place, "jobs")

    def tell(self, own: Job) -> None:
        """Write down a job as it is on this machine; what others wrote of later runs stays."""
        self._session.do(f"INSERT INTO {TABLE} ({', '.join(Job._fields)}) VALUES ({_values(own)}) {LATER}")

    def told(self) -> list[Job]:
        """Return the jobs, by name; none where the lake is of an older version."""
        if self._session.rows(THERE) != [(True,)]:
            return []
        return [Job(*row) for row in self._session.rows(f"SELECT {', '.join(Job._fields)} FROM {TABLE} ORDER BY name")]

    def close(self) -> None:
        """Close the session."""
        self._session.close()


def _values(job: Job) -> str:
    return ", ".join(
        quoted(value.replace("\x00", "")) if isinstance(value, str) else repr(float(value)) for value in job
    )
