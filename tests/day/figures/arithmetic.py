"""Sums, shares and the like, null where nothing is known."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from tests.day.facts import Row, Rows


def total(values: Iterable[float | None]) -> float | None:
    """Return the sum of what is known, None where nothing is."""
    known = [value for value in values if value is not None]
    return math.fsum(known) if known else None


def zero_or(value: float | None) -> float:
    """Return 0 for None."""
    return value or 0.0


def ratio(part: float | None, whole: float | None) -> float | None:
    """Return part / whole, None where either is unknown or the whole is 0."""
    return None if part is None or not whole else part / whole


def highest(values: Iterable[Any]) -> Any:
    """Return the largest known value."""
    return max((value for value in values if value is not None), default=None)


def lowest(values: Iterable[Any]) -> Any:
    """Return the smallest known value."""
    return min((value for value in values if value is not None), default=None)


def listed(values: Iterable[str | None]) -> str | None:
    """Return the different values by name, None where there are none."""
    return ", ".join(sorted({value for value in values if value is not None})) or None


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, Rows]:
    """Return rows by key, in their order."""
    found: dict[Any, Rows] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def any_true(*claims: bool | None) -> bool | None:
    """Return whether one of the claims holds: None where none does and one is not known."""
    if any(claims):
        return True
    return None if None in claims else False


def latest(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, Row]:
    """Return of each key the row with the greatest ts_event."""
    found: dict[Any, Row] = {}
    for row in rows:
        own = key(row)
        if own not in found or row["ts_event"] > found[own]["ts_event"]:
            found[own] = row
    return found
