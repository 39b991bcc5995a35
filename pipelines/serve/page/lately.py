"""What a coin's charts show alike in every range: found once for who looks through the ranges."""

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

SAME_S = 10.0
MOST = 1000

T = TypeVar("T")


class Lately:
    """What was found in the last SAME_S seconds, by what it is. Readers in several threads may use it at once."""

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, find: Callable[[], T]) -> T:
        """Return what was found lately, else what `find` finds now."""
        now = time.monotonic()
        known = self._found.get(key)
        if known is None or now - known[0] > SAME_S:
            if len(self._found) >= MOST:
                self._found = {}
            known = self._found[key] = now, find()
        return cast(T, known[1])
