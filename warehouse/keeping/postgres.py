"""A catalogue in PostgreSQL, dumped and restored by PostgreSQL's own programs."""

import os
import shutil
import subprocess
from pathlib import Path

from warehouse.errors import WarehouseError, WriteFailedError
from warehouse.messages import without_password
from warehouse.place import Place

BY_HAND = "infra/README.md says how it is done by hand"


def dump(place: Place, target: Path) -> None:
    """Dump the catalogue's database to a file of pg_restore's own format, whole or not at all. Raises WarehouseError."""
    new = target.with_suffix(".new")
    _run(place, "pg_dump", "--no-password", "--format=custom", f"--file={new}", f"--dbname={place.address}")
    new.replace(target)


def restore(place: Place, source: Path) -> None:
    """Restore a dump into the catalogue's database, which is to be empty, all of it or nothing. Raises WarehouseError."""
    whole = ("--no-password", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
    _run(place, "pg_restore", *whole, f"--dbname={place.address}", str(source))


def _run(place: Place, program: str, *words: str) -> None:
    """Run a program of PostgreSQL's; the password is in its environment, not among its words, which others can list."""
    found = shutil.which(program)
    if not found:
        raise WarehouseError(f"{program} is not installed here: install PostgreSQL's client programs; {BY_HAND}")
    place.give_password()
    done = subprocess.run([found, *words], env=dict(os.environ), capture_output=True, text=True, check=False)
    if done.returncode:
        told = without_password(" ".join(done.stderr.split()))
        raise WriteFailedError(f"{program} failed: {told or f'exit code {done.returncode}'}")
