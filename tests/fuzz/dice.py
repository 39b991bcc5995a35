"""Choices out of bytes: so that a fuzzer that changes bytes changes choices, and shorter bytes are simpler choices."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Reads choices from `data`; behind its end every choice is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def below(self, limit: int) -> int:
        """Return a number from 0 to limit - 1."""
        if limit <= 1:
            return 0
        width = (limit - 1).bit_length() + 7 >> 3
        found = int.from_bytes(self._data[self._at : self._at + width], "big")
        self._at += width
        return found % limit

    def of(self, choices: Sequence[T]) -> T:
        """Return one of some."""
        return choices[self.below(len(choices))]
