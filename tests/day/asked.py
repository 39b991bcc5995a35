"""What is asked of the warehouse, when, and the figures it is held against."""

from collections.abc import Callable
from typing import NamedTuple

from tests.day.facts import Facts, Rows

INSTANTS = {
    "on a full hour": "2026-11-18T08:00:00Z",
    "in the cascade, after two gaps": "2026-11-18T13:10:00.250000Z",
    "in the aftermath": "2026-11-18T14:34:37.500000Z",
    "at the end of the day": "2026-11-18T23:59:59.900000Z",
}
ALL = tuple(INSTANTS)
AFTERMATH, END = ("in the aftermath",), ("at the end of the day",)
OF_CONTRACT = ("venue", "symbol")
OF_ONE = ("venue", "symbol", "ts_event", "position_side", "qty_base", "price")
KAFKA = ("kafka_topic", "kafka_partition", "kafka_offset")


class Figures(NamedTuple):
    """What is asked (a view, a table, a macro's call), the plain figures, what tells rows apart, and columns left out:
    where a row lies, a hash, or the word for where a contract's facts are from."""

    asked: str
    rows: Callable[[Facts, int], Rows]
    key: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    instants: tuple[str, ...] = ALL
    """When: at the end only where what it shows does not depend on now, or not before."""

    @property
    def name(self) -> str:
        """The view, table or macro."""
        return self.asked.partition("(")[0]
