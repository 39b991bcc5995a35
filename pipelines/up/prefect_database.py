"""Prefect's database as it is before any run. Its server makes it in some ten seconds, half of its start; so a copy is kept
for the next world, by Prefect's version, in the user's cache folder."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path

NAME = "prefect.db"
ELSEWHERE = "PREFECT_API_DATABASE_CONNECTION_URL"
"""Where this is set, Prefect's database lies where it says, and is no matter of ours."""


def put(home: Path) -> None:
    """Put the copy into Prefect's folder, where that has no database yet; without one, its server makes it anew."""
    kept, database = _kept(), home / NAME
    if ELSEWHERE in os.environ or database.exists() or not kept.exists():
        return
    with suppress(OSError):
        shutil.copy(kept, home / f"{NAME}.part")
        (home / f"{NAME}.part").replace(database)


def keep(home: Path) -> None:
    """Keep a copy of the database in Prefect's folder, where there is none of this version; before anything has run on it."""
    kept, database = _kept(), home / NAME
    if ELSEWHERE in os.environ or kept.exists() or not database.exists():
        return
    part = kept.with_name(f"{kept.name}.{os.getpid()}.part")
    with suppress(OSError, sqlite3.Error):
        kept.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
        part.replace(kept)


def _kept() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "liq" / f"prefect-{version('prefect')}.db"
