"""What a rule found, and what it is given to look at."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator

from warehouse.lake import Lake

_SPAN = re.compile(r"(\d{1,6})\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Found(NamedTuple):
    """One thing to tell. `key`: what it is, so that it is told once; `row`: its figures, as JSON has them."""

    key: str
    title: str
    text: str
    row: dict[str, Any]


class Seen(NamedTuple):
    """What a rule looks at. `now`, `since`: UTC without a zone; what happened before `since` is not told any more.

    `lake`: its as_of is `now`; None: it cannot be read now."""

    world: Path
    lake: Lake | None
    now: datetime
    since: datetime


def _span(given: object) -> object:
    if isinstance(given, str):
        if not (found := _SPAN.fullmatch(given)):
            raise ValueError(f"{given!r} is no time: say 30s, 15m, 2h or 1d")
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    return given


Span = Annotated[timedelta, BeforeValidator(_span)]
"""A stretch of time, written as 30s, 15m, 2h or 1d."""


def usd(amount: float) -> str:
    """Return an amount as people write it: $1.2M."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(amount) >= size:
            return f"${amount / size:.3g}{letter}"
    return f"${amount:.0f}"
