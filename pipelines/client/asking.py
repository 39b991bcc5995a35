"""What can be asked, wherever the warehouse is."""

import re
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import TracebackType
from typing import Any, Literal, Self

import polars as pl
import pyarrow as pa

from pipelines.errors import PipelineError

To = Literal["polars", "pandas", "arrow"]
Time = datetime | timedelta | str
"""A time, UTC where it has no zone; or how long before now: a timedelta, or a text such as 30d, 12h, 90m."""
_AGO = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class AskError(PipelineError):
    """What was asked cannot be answered; the message says why, and names what was probably meant."""


class Asking(ABC):
    """A connection to a warehouse. `meta`: what the last answer says of itself: as_of, age_s, venues, completeness,
    coverage_share, lower_bound; None before the first."""

    meta: dict[str, Any] | None = None

    def __init__(self, to: To) -> None:
        if to not in ("polars", "pandas", "arrow"):
            raise ValueError(f"to is polars, pandas or arrow, not {to!r}")
        self._to = to

    def totals(self, *coins: str, hours: int = 24) -> Any:
        """Return USD liquidated by coin, venue and side over the last 1, 4, 12 or 24 hours, all coins if none is named.

        Amounts of rows with `lower_bound` are only known to be at least so much. Raises AskError.
        """
        return self.view("liquidation_totals", base=coins or None, hours=hours)

    def liquidations(
        self,
        *coins: str,
        since: Time = "1d",
        until: Time | None = None,
        venue: str | None = None,
        limit: int | None = None,
    ) -> Any:
        """Return liquidations from `since` on and before `until`, the newest first. Raises AskError."""
        return self.view(
            "liquidations_filled_in", base=coins or None, venue=venue, since=since, until=until, limit=limit
        )

    def view(self, name: str, *, limit: int | None = None, **given: Any) -> Any:
        """Return the rows of a view, table of bars or macro (`liq views` lists them).

        `given`: parameters of a macro, values that a column must have (several in a list), `since`, `until`, `as_of`,
        `columns`, `order`. Raises AskError.
        """
        told = {key: _text(value) for key, value in given.items() if value is not None}
        rows, self.meta = self._rows(name, told, limit)
        return self._as(rows)

    def sql(self, query: str) -> Any:
        """Return the rows of a query. Raises AskError; a service runs it in its sandbox, with its limits."""
        rows, self.meta = self._sql(query)
        return self._as(rows)

    @abstractmethod
    def brief(self, coin: str) -> dict[str, Any]:
        """Return one coin in one document, and how far to trust each part. Raises AskError."""

    @abstractmethod
    def validate(self, instrument: str, since: Time, until: Time, venue: str = "") -> dict[str, Any]:
        """Return whether a stretch of time is fit for a backtest, and why not. Raises AskError."""

    @abstractmethod
    def views(self) -> list[str]:
        """Return the names that `view` takes."""

    @abstractmethod
    def close(self) -> None:
        """End it."""

    @abstractmethod
    def _rows(self, name: str, given: dict[str, str], limit: int | None) -> tuple[pa.Table, dict[str, Any]]: ...

    @abstractmethod
    def _sql(self, query: str) -> tuple[pa.Table, dict[str, Any]]: ...

    def _as(self, rows: pa.Table) -> Any:
        if self._to == "arrow":
            return rows
        if self._to == "polars":
            return pl.from_arrow(rows)
        try:
            import_module("pandas")
        except ImportError:
            raise AskError("to='pandas' needs pandas: pip install pandas") from None
        return rows.to_pandas()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def moment(given: Time) -> datetime:
    """Return a time, UTC without a zone. Raises AskError."""
    now = datetime.now(UTC).replace(tzinfo=None)
    if isinstance(given, timedelta):
        return now - given
    if isinstance(given, str):
        if ago := _AGO.fullmatch(given):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        try:
            given = datetime.fromisoformat(given)
        except ValueError:
            raise AskError(
                f"{given!r} is no time: say 2026-11-01, 2026-11-01T12:00, or 30d, 12h, 90m before now"
            ) from None
    return given.astimezone(UTC).replace(tzinfo=None) if given.tzinfo else given


def _text(value: Any) -> str:
    """Return a value as a query has it."""
    if isinstance(value, (datetime, timedelta)):
        return f"{moment(value).isoformat()}Z"
    if isinstance(value, str) and _AGO.fullmatch(value):
        return f"{moment(value).isoformat()}Z"
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(_text, value)) if isinstance(value, (list, tuple, set)) else str(value)
