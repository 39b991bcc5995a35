"""Which notes a writer knows to be in `rollup_pending` already, so that it does not write them again (`pending.py`)."""

from datetime import datetime
from typing import NamedTuple


class Noted(NamedTuple):
    """Times (the bars' kind, the start of the minute or hour) known to be pending in the lake as it was when `snapshot` was
    its newest."""

    snapshot: int
    times: frozenset[tuple[str, datetime]]


NOTHING_NOTED = Noted(-1, frozenset())
