"""Lines that a library repeats: the same one is logged once in a while, with how often it was left out."""

import logging
import time
from collections.abc import Callable, Collection

EVERY_S = 15.0


class Repeats(logging.Filter):
    """Lets a line of a library through that was not logged in the last `EVERY_S`; lines of the packages `ours` always.

    A line is known by its logger and its text before values are put in. A Kafka that is away makes aiokafka log 30 a second.
    """

    def __init__(self, ours: Collection[str], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._ours = tuple(ours)
        self._clock = clock
        self._logged: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line is logged."""
        if record.name.partition(".")[0] in self._ours:
            return True
        key, now = (record.name, str(record.msg)), self._clock()
        last, left_out = self._logged.get(key, (-EVERY_S, 0))
        if now - last < EVERY_S:
            self._logged[key] = (last, left_out + 1)
            return False
        self._logged[key] = (now, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} more such lines since)", ()
        return True
