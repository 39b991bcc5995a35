"""The folder of an export: files of days, and a manifest that is there only while all of them are as it says.

New files are written to a folder of their own inside it. Once all are there, the manifest gives way to one that says
`incomplete`, the files take their places, and the new manifest comes last. So a run that was interrupted leaves either the
export of before, whole, or a folder without a manifest.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from warehouse.errors import WarehouseError
from warehouse.lock import write_lock

MANIFEST, INCOMPLETE, SUMS = "manifest.json", "manifest.incomplete.json", "SHA256SUMS"
STAGED = ".new"
LOCK = ".lock"


class File(NamedTuple):
    """A file of an export. `day`: as 2026-11-01, None where its rows have no time; `bytes`: its size."""

    file: str
    day: str | None
    rows: int
    bytes: int
    sha256: str


class Folder:
    """The export of one table or view in one format. Use `opened`."""

    def __init__(self, path: Path, name: str, format: str) -> None:
        self.path = path
        self._name = name
        self._format = format
        self._staged = path / STAGED
        self.before = self._before()

    def _before(self) -> dict[str, File]:
        """Return the files that are there by name, those that a manifest has. Raises WarehouseError for another's folder."""
        found = next((each for each in (self.path / MANIFEST, self.path / INCOMPLETE) if each.is_file()), None)
        if found is None:
            others = sorted(each.name for each in self.path.iterdir() if each.name not in (STAGED, LOCK))
            if others:
                raise WarehouseError(f"{self.path} has other files ({others[0]}); name a new folder")
            return {}
        told = json.loads(found.read_text())
        if (told["name"], told["format"]) != (self._name, self._format):
            raise WarehouseError(
                f"{self.path} has an export of {told['name']} as {told['format']}; name another folder"
            )
        return {each["file"]: File(**each) for each in told["files"]}

    @contextmanager
    def staging(self, name: str) -> Iterator[BinaryIO]:
        """Give a new file to write."""
        with (self._staged / name).open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def staged(self, name: str, day: str | None, rows: int) -> File:
        """Return what a new file is; where the same is there already, the new one is not kept."""
        path = self._staged / name
        with path.open("rb") as file:
            found = File(name, day, rows, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
        there = self.path / name
        if self.before.get(name) == found and there.is_file() and _digest(there) == found.sha256:
            path.unlink()
        return found

    def finish(self, files: list[File], told: dict[str, Any]) -> int:
        """Put the new files in their places, delete those that are no longer of it, and write the manifest.

        In: all files of the export, in order, those of before among them. Returns how many changed or went.
        """
        new = sorted(self._staged.iterdir())
        gone = [name for name in self.before if name not in {each.file for each in files}]
        sums = {"rows": sum(each.rows for each in files), "bytes": sum(each.bytes for each in files)}
        told = {"name": self._name, "format": self._format, **told, **sums, "files": [each._asdict() for each in files]}
        _write(self.path / INCOMPLETE, json.dumps(told, indent=1))
        (self.path / MANIFEST).unlink(missing_ok=True)
        for each in new:
            each.replace(self.path / each.name)
        for name in gone:
            (self.path / name).unlink(missing_ok=True)
        _write(self.path / SUMS, "".join(f"{each.sha256}  {each.file}\n" for each in files))
        _sync(self.path)
        (self.path / INCOMPLETE).replace(self.path / MANIFEST)
        _sync(self.path)
        return len(new) + len(gone)

    def clear(self) -> None:
        """Delete what an interrupted run left, and make room for new files."""
        shutil.rmtree(self._staged, ignore_errors=True)
        self._staged.mkdir()

    def close(self) -> None:
        """Delete the new files that were not put in place."""
        shutil.rmtree(self._staged, ignore_errors=True)


@contextmanager
def opened(path: Path, name: str, format: str) -> Iterator[Folder]:
    """Open a folder for an export, alone; it is made where it is not there.

    Raises WarehouseError where it has other files, WarehouseBusyError where another export runs there.
    """
    path.mkdir(parents=True, exist_ok=True)
    with write_lock(path / LOCK, 0):
        folder = Folder(path, name, format)
        folder.clear()
        try:
            yield folder
        finally:
            folder.close()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
