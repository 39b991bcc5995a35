"""Copies of the SQLite catalogue beside the data: without the catalogue nobody knows which files are the lake.

SQLite's own backup makes them, in a process of its own: two SQLite libraries in one process, Python's and DuckDB's, take each
other's locks away (https://www.sqlite.org/howtocorrupt.html, section 2.2.1).
"""

import logging
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from warehouse.errors import WriteFailedError
from warehouse.messages import free

logger = logging.getLogger(__name__)

KEPT = 3
FOLDER = "copies"

_COPY = """
import sqlite3, sys
from urllib.parse import quote

source, target = sys.argv[1:]
try:
    with open(source, "rb") as file:
        if file.read(15) != b"SQLite format 3":
            raise sqlite3.DatabaseError("file is not a database")
    taken = sqlite3.connect(f"file:{quote(source)}?mode=rw", uri=True, timeout=60)
    made = sqlite3.connect(target)
    taken.backup(made)
    made.execute("PRAGMA journal_mode = DELETE")
    found = made.execute("PRAGMA integrity_check(3)").fetchall()
    made.close()
    taken.close()
    if found != [("ok",)]:
        sys.exit("the catalogue is damaged: " + "; ".join(line for (line,) in found))
except (sqlite3.Error, OSError) as error:
    sys.exit(str(error))
"""


def copy(catalogue: Path, target: Path) -> None:
    """Copy a SQLite catalogue as it is now, beside whoever writes it, to the file `target`, at once or not at all.

    The copy was checked by SQLite. Raises WriteFailedError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_suffix(".new")
    new.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-I", "-c", _COPY, catalogue, new], capture_output=True, text=True, check=False
    )
    if done.returncode:
        new.unlink(missing_ok=True)
        full = f" ({free(target)})" if "full" in done.stderr else ""
        raise WriteFailedError(f"{catalogue} cannot be copied to {target}: {' '.join(done.stderr.split())[:500]}{full}")
    new.replace(target)


def copies(folder: Path) -> list[Path]:
    """Return the copies in a lake's folder, newest first."""
    return sorted((folder / FOLDER).glob("catalog-*.sqlite"), reverse=True)


def written(made: Path) -> str:
    """Return when a copy was made, by its name, as UTC to the minute."""
    return f"{datetime.strptime(made.stem, 'catalog-%Y%m%dT%H%M%S.%fZ').replace(tzinfo=UTC):%Y-%m-%d %H:%M} UTC"


def copy_beside(catalogue: Path) -> Path:
    """Copy the catalogue into its folder's copies, take away all but the newest, return the new one.

    Raises WriteFailedError.
    """
    made = catalogue.parent / FOLDER / f"catalog-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.sqlite"
    copy(catalogue, made)
    for old in copies(catalogue.parent)[KEPT:]:
        old.unlink(missing_ok=True)
    return made


class Copying:
    """Copies a catalogue every `every_s` seconds of somebody writing to it; 0: never."""

    def __init__(self, catalogue: Path | None, every_s: float) -> None:
        self._catalogue, self._every_s = catalogue, every_s
        self._look = 0.0  # when to look at the copies again, by the monotonic clock

    def copy_if_due(self) -> None:
        """Copy if the newest copy, whoever made it, is old enough; what goes wrong is logged."""
        if self._catalogue is None or not self._every_s or time.monotonic() < self._look:
            return
        try:
            due_in = self._due_in(self._catalogue)
            if due_in <= 0 or due_in > self._every_s:  # or it is of a future that a clock has taken back
                copy_beside(self._catalogue)
                due_in = self._every_s
        except (WriteFailedError, OSError) as error:
            logger.error("no copy of the catalogue was made: %s", error)
            due_in = self._every_s
        self._look = time.monotonic() + due_in

    def _due_in(self, catalogue: Path) -> float:
        folder = catalogue.parent / FOLDER
        folder.mkdir(exist_ok=True)  # a new lake gets its first copy after that time, too
        newest = next(iter(copies(catalogue.parent)), folder)
        return newest.stat().st_mtime + self._every_s - time.time()
