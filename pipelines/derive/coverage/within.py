"""How much of a stretch of time a channel was listened to, to the microsecond: for what is shorter than a minute of
`feed_coverage`."""

from datetime import datetime, timedelta

from pipelines.derive.coverage.coverage import by_channel
from pipelines.derive.coverage.sessions import Sessions, sessions
from pipelines.derive.coverage.shares import share
from warehouse.lake import Lake

NEVER = datetime(1970, 1, 1)  # noqa: DTZ001 the warehouse's times are UTC without a zone
DAY = timedelta(days=1)


class Within:
    """Answers from the stored sessions of a warehouse; those of a day are read once."""

    def __init__(self, warehouse: Lake) -> None:
        self._warehouse = warehouse
        self._days: dict[datetime, Sessions] = {}

    def share(self, venue: str, channel: str, start: datetime, end: datetime) -> float | None:
        """Return the share of [start, end), within one UTC day, in which the channel was heard by the transport that heard
        it longest; None where no session of that day is stored."""
        day = self._of(start.replace(hour=0, minute=0, second=0, microsecond=0))
        shares = [
            share(name, feeds, day.all, start, end)
            for (of, _, name), feeds in by_channel(day.channels).items()
            if (of, name) == (venue, channel)
        ]
        return max(shares, default=None)

    def _of(self, day: datetime) -> Sessions:
        if day not in self._days:
            self._days[day] = sessions(self._warehouse, day, day + DAY, self._settled())
        return self._days[day]

    def _settled(self) -> datetime:
        """Return up to when it is known what is missing: as far as `feed_coverage` is kept."""
        row = self._warehouse.connection.execute("SELECT max(until) FROM coverage_progress").fetchone()
        return row[0] if row and row[0] else NEVER
