"""A value as text for a person (four digits, percent, times without parts that are always zero), or in full."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from math import floor, isfinite, log10
from typing import Any

CELL_WIDTH = 80
DIGITS = 4
FRACTIONS = re.compile(
    r"(^|_)share$|^(long|short)_share_|(^|_)move(_|$)|(^|_)rate(_8h)?$|^rate_|(^|_)apr$|^change(_|$)|(^|_)premium$|^basis$"
)
"""Names of columns that are fractions."""
NO_FRACTION = re.compile(r"_(usd|coins?|base|contracts?|s|ts|pct|bp|z)$")


def for_a_person(name: str, column: Iterable[object]) -> list[str]:
    """Return the cells of a column, short. In: the values, of one type but for None."""
    values = list(column)
    there = next((value for value in values if value is not None), None)
    if isinstance(there, datetime):
        return _times(values)
    if isinstance(there, float | Decimal) and is_fraction(name):
        return [_percent(value) for value in values]
    return [_short(value) for value in values]


def is_fraction(name: str) -> bool:
    """Return whether a column has shares, price moves or rates, which are shown to a person as percent."""
    return bool(FRACTIONS.search(name)) and not NO_FRACTION.search(name)


def short_times(cells: list[str]) -> str:
    """Return the day of all these times; empty if they are not all of one day."""
    days = {cell[:10] for cell in cells if cell}
    return days.pop() if len(days) == 1 and all(len(cell) > 10 for cell in cells if cell) else ""


def whole(value: object, width: int | None = None) -> str:
    """Return a value with all it has; a text cut at `width` characters, where one is given."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}" if 1000 <= abs(value) < 1e15 else f"{value:.10g}"
    if isinstance(value, datetime):
        value = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    text = str(value)
    return text if width is None or len(text) <= width else text[: width - 1] + "…"


def _times(values: list[Any]) -> list[str]:
    """Return times to the second, to the minute where all are whole ones, as days where all are whole days."""
    there = [value for value in values if value is not None]
    form = "%Y-%m-%d %H:%M:%S"
    if there and all(value.second == value.microsecond == 0 for value in there):
        form = "%Y-%m-%d" if all(value.hour == value.minute == 0 for value in there) else "%Y-%m-%d %H:%M"
    return ["" if value is None else value.strftime(form) for value in values]


def _percent(value: Any) -> str:
    return "" if value is None else f"{_four(100 * float(value))} %"


def _short(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | Decimal) and not _is_long_and_whole(value):
        return _four(float(value))
    if isinstance(value, int) and abs(value) >= 10_000:
        return f"{value:,}"
    return whole(value, CELL_WIDTH)


def _is_long_and_whole(value: float | Decimal) -> bool:
    return isinstance(value, Decimal) and value == value.to_integral_value()  # a float has not all its digits


def _four(value: float) -> str:
    """Return a number in four digits, a large one with all before its point."""
    if not isfinite(value) or value == 0:
        return f"{value:g}"
    places = DIGITS - 1 - floor(log10(abs(value)))
    if places > 9:
        return f"{value:.3e}"
    text = f"{value:,.{max(places, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
