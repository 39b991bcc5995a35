"""What a venue listed last, on disk: a collector that starts while the venue refuses its requests listens all the same."""

import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from collectors.venues.venue import Listed

MOST_AGE_S = 3 * 86_400.0
"""An older list is of no use: too much of it would be refused."""

log = logging.getLogger(__name__)


class _Kept(msgspec.Struct):
    at: float
    listed: tuple[Listed, ...]


_decode = msgspec.json.Decoder(dict[str, _Kept]).decode


class Remembered:
    """The instruments of one venue by group, in a file of `folder`, each group with its age. `clock`: UTC seconds."""

    def __init__(self, folder: Path, venue: str, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / f"{venue}.json"
        self._clock = clock
        self._groups = self._read()

    @property
    def listing(self) -> dict[str, tuple[Listed, ...]]:
        """What was listed last, without what is too old."""
        oldest = self._clock() - MOST_AGE_S
        return {group: kept.listed for group, kept in self._groups.items() if kept.at > oldest}

    def keep(self, group: str, listed: Sequence[Listed]) -> None:
        """Write what a group lists now; the file is replaced whole or not at all."""
        self._groups[group] = _Kept(self._clock(), tuple(listed))
        beside = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(msgspec.json.encode(self._groups))
            beside.replace(self._path)
        except OSError as error:
            log.warning("what is listed cannot be kept path=%s reason=%r", self._path, str(error))

    def _read(self) -> dict[str, _Kept]:
        try:
            return _decode(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
            log.warning("what was listed last cannot be read path=%s reason=%r", self._path, str(error))
            return {}
