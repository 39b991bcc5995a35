"""What a venue listed last, on disk: a collector that starts while the venue refuses its requests listens all the same."""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from collectors.venues.venue import Listed

MOST_AGE_S = 3 * 86_400.0
"""An older list is of no use: too much of it would be refused."""

log = logging.getLogger(__name__)


class _Kept(msgspec.Struct):
    at: float
    groups: dict[str, tuple[Listed, ...]]


class Remembered:
    """The instruments of one venue by group, in a file of `folder`. `clock`: UTC seconds."""

    def __init__(self, folder: Path, venue: str, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / f"{venue}.json"
        self._clock = clock

    def read(self) -> dict[str, tuple[Listed, ...]]:
        """Return what was listed last; nothing where that is too old, or cannot be read."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
            log.warning("what was listed last cannot be read path=%s reason=%r", self._path, str(error))
            return {}
        return kept.groups if self._clock() - kept.at < MOST_AGE_S else {}

    def keep(self, listing: Mapping[str, Sequence[Listed]]) -> None:
        """Write what is listed now, whole or not at all."""
        kept = _Kept(self._clock(), {group: tuple(listed) for group, listed in listing.items()})
        beside = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(msgspec.json.encode(kept))
            beside.replace(self._path)
        except OSError as error:
            log.warning("what is listed cannot be kept path=%s reason=%r", self._path, str(error))
