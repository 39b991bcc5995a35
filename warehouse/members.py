"""Which processes share a work on one lake in PostgreSQL: each says every few seconds that it lives, and what it does.

Times are PostgreSQL's own, so the machines' clocks do not matter.
"""

from typing import NamedTuple

from warehouse.beside import Beside
from warehouse.place import Place, quoted

TABLE = "liq_workers"
MAKE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    name text PRIMARY KEY, host text NOT NULL, process integer NOT NULL, world text NOT NULL, has text NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(), seen timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""
THERE = f"SELECT to_regclass('{TABLE}') IS NOT NULL AS there"
LIVING = f"""
SELECT name, host, process, world, has, extract(epoch FROM clock_timestamp() - seen)::double precision AS age_s
FROM {TABLE} WHERE seen > clock_timestamp() - interval '{{within_s}} seconds' ORDER BY since, name
"""


class Member(NamedTuple):
    """A process that said so `age_s` seconds ago: its own `name`, where it is, and what it `has`."""

    name: str
    host: str
    process: int
    world: str
    has: str
    age_s: float


class Members:
    """The processes that share a lake. One thread at a time; every call raises duckdb.Error where PostgreSQL is away."""

    def __init__(self, place: Place) -> None:
        self._session = Beside(place, "member")

    def beat(self, own: Member) -> None:
        """Say that `own` lives, and what it has."""
        text = ", ".join(map(quoted, (own.name, own.host, own.world, own.has)))
        self._session.do(
            f"INSERT INTO {TABLE} (name, host, world, has, process) VALUES ({text}, {own.process}) "
            "ON CONFLICT (name) DO UPDATE SET seen = clock_timestamp(), has = excluded.has"
        )

    def replace_before(self, own: Member) -> None:
        """Forget who was here before `own`: a world has one process at a time."""
        self._session.do(
            f"DELETE FROM {TABLE} WHERE host = {quoted(own.host)} AND world = {quoted(own.world)} "
            f"AND name <> {quoted(own.name)}"
        )

    def living(self, within_s: float) -> list[Member]:
        """Return those that said something within so many seconds, the eldest first."""
        if self._session.rows(THERE) != [(True,)]:
            return []
        return [Member(*row) for row in self._session.rows(LIVING.format(within_s=within_s))]

    def leave(self, name: str) -> None:
        """Say that it is gone, and forget who has been silent for a day."""
        self._session.do(
            f"DELETE FROM {TABLE} WHERE name = {quoted(name)} OR seen < clock_timestamp() - interval '1 day'"
        )

    def close(self) -> None:
        """Close the session."""
        self._session.close()
