"""Times as flows are given them and as the warehouse has them."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the clock's time, UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def utc(moment: datetime | None) -> datetime | None:
    """Return the moment as the warehouse has times: UTC without a zone; Prefect hands times over with one."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment and moment.tzinfo else moment
