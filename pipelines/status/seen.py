"""What the checks look at: one warehouse, one Kafka, and what time it is."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.kept import STATE_TOPICS
from pipelines.status.kafka import Away, Kafka, Lag
from warehouse import query
from warehouse.lake import Lake

LAG_S = 60.0
"""Records may wait for so long, seconds, beside the grid's time for those of state topics."""
FRESH = timedelta(seconds=45)
"""A living collector tells something every 30 s, so a younger last commit shows that ingest reads what comes now."""


class Seen(NamedTuple):
    """`now`: UTC without a zone. `grid_s`: ingest's. `prefect`: what is wrong with Prefect's server, empty: it answers, None:
    there is none to ask."""

    world: Path
    now: datetime
    lake: Lake
    kafka: Kafka | Away
    grid_s: int = 60
    prefect: str | None = None

    def rows(self, sql: str, **given: Any) -> list[dict[str, Any]]:
        """Return the rows of a query; `$now` is there, beside those given. Raises QueryError."""
        parameters: Mapping[str, Any] = {"now": self.now, **given}
        used = {name: value for name, value in parameters.items() if f"${name}" in sql}
        return query.run(self.lake, sql, used).frame().to_dicts()

    def age_s(self, at: datetime) -> float:
        """Return how long ago that was, seconds."""
        return (self.now - at).total_seconds()

    def waits_s(self, lag: Lag) -> float:
        """Return for how long the topic's oldest record that is not committed has waited, seconds; 0 where none waits."""
        if not lag.behind or lag.oldest_ms is None:
            return 0.0
        return max(0.0, self.now.replace(tzinfo=UTC).timestamp() - lag.oldest_ms / 1000)

    def may_wait_s(self, topic: str) -> float:
        """Return for how long a topic's records may wait, seconds: of state the last value of a grid's time is kept."""
        return LAG_S + (self.grid_s if topic in STATE_TOPICS else 0)

    def behind(self) -> str:
        """Return why the warehouse does not show what happens now; empty where it does."""
        if isinstance(self.kafka, Kafka):
            late = [lag for lag in self.kafka.lags if self.waits_s(lag) > self.may_wait_s(lag.topic)]
            return f"ingest is {sum(lag.behind for lag in late):,} records behind" if late else ""
        last = self.last_commit()
        if last is not None and self.now - last < FRESH:
            return ""
        return "Kafka is away"

    def last_commit(self) -> datetime | None:
        """Return when ingest committed last, UTC."""
        found: datetime | None = self.rows("SELECT max(ts_commit) AS at FROM ingest_commits")[0]["at"]
        return found
