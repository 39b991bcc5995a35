"""What `liq maintain` records of a lake: its manifest with all checksums, and a copy of its catalogue."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import inf
from pathlib import Path

import duckdb

from warehouse.errors import WarehouseBusyError, WriteFailedError
from warehouse.keeping.copies import copies, copy_beside
from warehouse.keeping.files import named, sha256
from warehouse.keeping.manifest import sums
from warehouse.lake import Lake
from warehouse.messages import one_line
from warehouse.place import Place
from warehouse.turns import KEEP, holder, turn

logger = logging.getLogger(__name__)

MOST_BYTES = 8_000_000_000
"""How many bytes of files without a checksum (written by an older version) one run reads at most."""
WAIT_S = 600.0
ROLES = {False: "backup", True: "deletes"}
LINE, SLACK = 300, 1_000_000
"""A manifest of more than twice this many bytes per file, plus this many, is rewritten."""


def write_down(lake: Lake, keep_files: timedelta) -> bool:
    """Bring the manifest and the copies of a SQLite catalogue up to date; tell whether that was done.

    The manifest gets the checksums of files that had none, and is written anew where it has grown. A copy is made where the
    newest is old, or older than `keep_files`: then it may name files that are about to be deleted. What goes wrong is logged:
    the lake itself is not touched.
    """
    try:
        _tidy_manifest(lake)
        catalogue = lake.place.sqlite
        if catalogue and _age(catalogue) >= min(keep_files.total_seconds(), lake.settings.catalogue_copy_s or inf):
            copy_beside(catalogue)
    except (duckdb.Error, OSError, WriteFailedError) as error:
        logger.error("%s was not written down: %s", lake.place, one_line(error, lake.place.folder))
        return False
    return True


def _age(catalogue: Path) -> float:
    """Return the age of the newest copy, seconds; negative where the clock was set back."""
    newest = next(iter(copies(catalogue.parent)), None)
    return time.time() - newest.stat().st_mtime if newest else inf


@contextmanager
def kept(place: Place, *, alone: bool) -> Iterator[bool]:
    """Keep others from deleting files for the block, or, `alone`, be the one that may; yield whether it is so.

    A backup keeps the files that it copies; upkeep deletes them unless one is made, on whichever machine. A backup waits while
    files are deleted. Raises WarehouseBusyError where that takes too long, WarehouseError where PostgreSQL does not answer.
    """
    with turn(place, KEEP, shared=not alone, within_s=0 if alone else WAIT_S, role=ROLES[alone]) as is_own:
        if not (is_own or alone):
            raise WarehouseBusyError(f"{holder(place, KEEP)} has deleted files of {place} for {WAIT_S:.0f} s: stop it")
        yield is_own


def _tidy_manifest(lake: Lake) -> None:
    files = lake.place.local_files
    if files is None:
        return
    live = {each.path: each.size for each in named(lake.connection) if each.end is None}
    known = sums(lake.manifest.state(lake.connection))
    new, left = {}, MOST_BYTES
    for name in sorted(live.keys() - known.keys()):
        if (left := left - live[name]) >= 0:
            new[name] = sha256(files / name)
    path = lake.manifest.path(lake.connection)
    if new or not path.exists() or path.stat().st_size > SLACK + 2 * LINE * len(live):
        with lake.write_lock():
            lake.manifest.rewrite(lake.connection, new | sums(lake.manifest.state(lake.connection)))
