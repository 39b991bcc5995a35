"""Two tables of rows side by side: amounts to the cent, shares to nine digits, counts, words and nulls exactly."""

import json
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.day.facts import EPOCH, Row, Rows

CENT = 0.01
PRECISION = 1e-9
NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")


def differences(found: Rows, expected: Rows, key: Sequence[str], left_out: Sequence[str] = ()) -> list[str]:
    """Say, in lines, where rows differ: missing ones, further ones, and each column of each row of the same key."""
    ours, plain = _by_key(found, key), _by_key(expected, key)
    lines = [f"not found: {own}" for own in plain.keys() - ours.keys()]
    lines += [f"not expected: {own}" for own in ours.keys() - plain.keys()]
    if found and expected:
        names = found[0].keys() - set(left_out)
        lines += [f"column without a figure: {name}" for name in names - expected[0].keys()]
        lines += [f"figure without a column: {name}" for name in expected[0].keys() - found[0].keys()]
    for own in ours.keys() & plain.keys():
        lines += _of_row(own, ours[own], plain[own], left_out)
    return lines


def _of_row(own: tuple[Any, ...], found: Rows, expected: Rows, left_out: Sequence[str]) -> list[str]:
    if len(found) != len(expected):
        return [f"{own}: {len(found)} rows, expected {len(expected)}"]
    return [
        f"{own}: {name} is {one.get(name)!r}, expected {other[name]!r}"
        for one, other in zip(_sorted(found), _sorted(expected), strict=True)
        for name in other.keys() & one.keys() - set(left_out)
        if not same(name, one[name], other[name])
    ]


def same(name: str, found: Any, expected: Any) -> bool:
    """Say whether two values are the same: USD (by the column's name) to the cent, other fractions to nine digits."""
    if name == "conditions" and found and expected:
        return _same_words(found.split(), expected.split())
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(each, found[each], expected[each]) for each in expected)
    if isinstance(found, bool) or isinstance(expected, bool) or not isinstance(found, int | float):
        return bool(found == expected)
    if not isinstance(expected, int | float) or (isinstance(found, int) and isinstance(expected, int)):
        return bool(found == expected)
    if "usd" in name.split("_"):
        return abs(found - expected) < CENT / 2 or math.isclose(found, expected, rel_tol=1e-14)
    return math.isclose(found, expected, rel_tol=PRECISION, abs_tol=1e-12)


def _same_words(found: list[str], expected: list[str]) -> bool:
    """Say whether two texts are the same but for the last of the six digits that numbers are rounded to."""
    pairs = list(zip(found, expected, strict=False))
    return len(found) == len(expected) and all(
        one == other or (NUMBER.fullmatch(one) and NUMBER.fullmatch(other) and abs(float(one) - float(other)) < 1.5e-6)
        for one, other in pairs
    )


def plain(value: Any) -> Any:
    """Return a value from the database as the plain figures have it: times as microseconds, decimals as floats, JSON read."""
    if isinstance(value, str) and value.startswith("{"):
        return json.loads(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    return value


def _by_key(rows: Rows, key: Sequence[str]) -> dict[tuple[Any, ...], Rows]:
    found: dict[tuple[Any, ...], Rows] = {}
    for row in rows:
        found.setdefault(tuple(_rounded(row[name]) for name in key), []).append(row)
    return found


def _rounded(value: Any) -> Any:
    return float(f"{value:.9g}") if isinstance(value, float) else value


def _sorted(rows: Rows) -> Rows:
    def order(row: Row) -> str:
        return repr([_rounded(row[name]) for name in sorted(row) if isinstance(row[name], str | int | float)])

    return sorted(rows, key=order) if len(rows) > 1 else rows
