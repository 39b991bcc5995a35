"""Which columns of a table fit the terminal, and how: the first ones, those that say how far to trust it, then the others."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from warehouse.cells import short_times

MAIN = (
    "usd", "notional_usd", "oi_usd", "usd_estimated", "funding_rate", "rate_8h", "move", "price", "price_now", "mark_price",
    "missing", "missing_s", "state", "value", "score",
)  # fmt: skip
"""The main value of a row; the first two of these columns that a table has are shown."""
TRUST = ("lower_bound", "coverage_share", "freshness", "score_verdict", "whole", "saturated_share", "suspect_share")
"""The columns that say how far a row can be trusted, the most important first."""
LAST = re.compile(
    r"^(symbol|quote|settle|contract|kind|transport|session|seq|occurrence|event_key|rule_version|completeness|reason|detail"
    r"|kafka_.*|.*_id|by_venue|kept_by|null_reason|measured_until|first|.*_hex)$"
)
"""Columns shown last: they repeat a name, say where the row comes from, or are long."""
FIRST = 3
"""How many of the other columns come before those of TRUST; they name what the row is about."""
SPACE = 3
"""Characters between two columns."""


class Column(NamedTuple):
    """A column as it is drawn: the name, in as many lines as it takes, and the cells. `day`: of all its times, else empty."""

    name: str
    heading: str
    cells: Sequence[str]
    day: str = ""

    @property
    def width(self) -> int:
        """The characters it takes, with the space to the next one."""
        return max(map(cell_len, (*self.heading.split("\n"), *self.cells))) + SPACE


def fitting(cells: Mapping[str, Sequence[str]], width: int, times: Sequence[str] = ()) -> list[Column]:
    """Return the columns that fit in `width` characters, in their order, at least one. `times`: the names of those of times.

    Before one is left out, names are broken at their underscores, and times of one day lose the day.
    """
    full = {name: Column(name, name, column) for name, column in cells.items()}
    if sum(column.width for column in full.values()) <= width:
        return list(full.values())
    narrow = {name: _narrow(name, cells[name], name in times) for name in cells}
    kept: set[str] = set()
    left = width
    for name in _by_weight(list(cells)):
        if narrow[name].width <= left or not kept:
            kept.add(name)
            left -= narrow[name].width
    found = [narrow[name] for name in cells if name in kept]
    for at, column in enumerate(found):  # names stay whole where there is room
        more = full[column.name].width - column.width if not column.day else 0
        if 0 < more <= left:
            found[at], left = full[column.name], left - more
    return found


def _by_weight(names: Sequence[str]) -> list[str]:
    main = [name for name in MAIN if name in names][:2]
    trust = [name for name in TRUST if name in names]
    late = [name for name in names if LAST.search(name) and name not in (*main, *trust)]
    if "instrument" not in names and "symbol" in late:
        late.remove("symbol")
    rest = [name for name in names if name not in {*main, *trust, *late}]
    return [*rest[:FIRST], *main[:1], *trust[:2], *main[1:], *trust[2:], *rest[FIRST:], *late]


def _narrow(name: str, cells: Sequence[str], is_time: bool) -> Column:
    day = short_times(list(cells)) if is_time else ""
    shown = [cell[11:] for cell in cells] if day else cells
    return Column(name, _broken(name, max((cell_len(cell) for cell in shown), default=0)), shown, day)


def _broken(name: str, room: int) -> str:
    """Return a name in lines no longer than `room` where its underscores allow that."""
    lines = [""]
    for part in name.replace("_", "_ ").split():
        if lines[-1] and len(lines[-1] + part) > max(room, 6):
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)
