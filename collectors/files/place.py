"""How far a folder's files have been read, on disk: a collector goes on where the one before it stopped."""

import logging
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

SETTLES_S = 10.0
"""A line read so long ago is in Kafka, or in the spool: a collector that is killed loses none of it."""

log = logging.getLogger(__name__)


class Place(msgspec.Struct, frozen=True):
    """A file, by its path in the folder, and how many bytes of it were read."""

    file: str
    offset: int


_decode = msgspec.json.Decoder(Place).decode


class Places:
    """The place in one folder, in a file, or in none. What is kept is the place of SETTLES_S before, so that a killed
    collector's successor reads a few lines twice rather than none. `clock`: monotonic seconds."""

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._passed = deque[tuple[float, Place]]()

    def last(self) -> Place | None:
        """Return where to go on; None where nothing was read yet, or where it cannot be known."""
        if self._path is None:
            return None
        try:
            return _decode(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, ValueError) as error:
            log.warning("how far files were read cannot be known path=%s reason=%r", self._path, str(error))
            return None

    def passed(self, place: Place) -> None:
        """Say how far the files are read now; what has settled by now is kept."""
        now, settled = self._clock(), None
        while self._passed and self._passed[0][0] <= now - SETTLES_S:
            settled = self._passed.popleft()[1]
        if not self._passed or self._passed[-1][0] <= now - 1.0:
            self._passed.append((now, place))
        if settled:
            self.keep(settled)

    def keep(self, place: Place) -> None:
        """Write a place; the file is replaced whole or not at all."""
        if self._path is None:
            return
        beside = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(msgspec.json.encode(place))
            beside.replace(self._path)
        except OSError as error:
            log.warning("how far files are read cannot be kept path=%s reason=%r", self._path, str(error))
