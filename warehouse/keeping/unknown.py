"""Files in the lake's folder that its catalogue does not name."""

import logging
import sqlite3
import time
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from warehouse.errors import WarehouseError
from warehouse.keeping.copies import copies
from warehouse.keeping.files import lying, named, named_in, scheduled
from warehouse.keeping.manifest import manifests, read
from warehouse.lake import Lake

logger = logging.getLogger(__name__)

LEAST_AGE = timedelta(hours=1)
"""Younger files are never deleted: a writer may be about to commit them."""


class Unknown(NamedTuple):
    """A file that the catalogue does not name: path below the place of the files, bytes, and who else names it, or empty."""

    path: str
    size: int
    named_by: str


def unknown(lake: Lake) -> list[Unknown]:
    """Return the Parquet files that lie there unnamed, by path. Raises duckdb.Error."""
    lie = lying(lake.place, lake.connection)
    found = lie.keys() - _own(lake)
    if found:
        with lake.write_lock():  # where no commit is half done
            found -= _own(lake)
            found = {path for path in found if not lake.place.local_files or (lake.place.local_files / path).exists()}
    others = _named_by_others(lake) if found else {}
    return [Unknown(path, lie[path], others.get(path, "")) for path in sorted(found)]


def delete_unknown(lake: Lake, listed: list[Unknown], least_age: timedelta = LEAST_AGE) -> list[Unknown]:
    """Delete those of `listed` that are unnamed still, old enough, and named by no other; return which were.

    Only in the world's own folder. Raises WarehouseError for files elsewhere, which others may have put there.
    """
    files = lake.place.local_files
    if not lake.place.owns_files or files is None:
        raise WarehouseError(
            f"files are deleted in the world's own folder only, not in {lake.place.files} of LIQ_FILES"
        )
    before = time.time() - least_age.total_seconds()
    still = set(unknown(lake))
    gone = [
        each for each in listed if each in still and not each.named_by and (files / each.path).stat().st_mtime < before
    ]
    for each in gone:
        (files / each.path).unlink()
        logger.info("deleted %s", files / each.path)
    return gone


def _own(lake: Lake) -> set[str]:
    return {each.path for each in named(lake.connection)} | {path for path, _ in scheduled(lake.connection)}


def _named_by_others(lake: Lake) -> dict[str, str]:
    """Return the files that another catalogue's manifest names, or a copy of this catalogue, and by which file."""
    files = lake.place.local_files
    if files is None:
        return {}
    own = lake.manifest.path(lake.connection)
    by_manifest = {name: path.name for path in manifests(files) if path != own for name in read(path).entries}
    by_copy = {name: str(copy) for copy in copies(lake.place.folder) for name in _names_in(copy)}
    return by_copy | by_manifest


def _names_in(copy: Path) -> set[str]:
    try:
        return {each.path for each in named_in(copy)}
    except sqlite3.Error as error:
        logger.warning("the copy %s cannot be read: %s", copy, error)
        return set()
