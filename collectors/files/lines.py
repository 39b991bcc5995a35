"""The lines of files that grow, in the order in which the files were begun; a line counts once its end is there."""

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

from collectors.files.place import Place
from collectors.live.session import LARGEST_MESSAGE
from collectors.venues.venue import Folder

CHUNK = 1024 * 1024


class Line(NamedTuple):
    """A line without its end, and the place behind it. `is_cut`: it is longer than a frame may be and only begins so."""

    payload: bytes
    behind: Place
    is_cut: bool = False


class Lines:
    """Reads a folder on from a place; None: from the beginning of its newest file. Raises OSError."""

    def __init__(self, folder: Folder, place: Place | None) -> None:
        self._folder = folder
        self.place = place
        self._begun = b""  # of a line whose end is not there yet
        self._is_cut = False

    def new(self) -> Iterator[Line]:
        """Yield every line that has come since; those of older files first."""
        files = self._files()
        if not files:
            return
        if self.place is None:
            self.place = Place(files[-1], 0)
        order = self._order(self.place.file)
        for file in files:
            if order is not None and (self._order(file) or ()) < order:
                continue
            if file != self.place.file:
                yield from self._rest()
                self.place = Place(file, 0)
            yield from self._of(self._folder.path / file)

    def _of(self, path: Path) -> Iterator[Line]:
        assert self.place is not None
        with path.open("rb") as source:
            at = self.place.offset + len(self._begun)
            if path.stat().st_size < at:  # it was written anew
                at, self._begun, self.place = 0, b"", Place(self.place.file, 0)
            source.seek(at)
            while block := source.read(CHUNK):
                *whole, begun = (self._begun + block).split(b"\n")
                self._begun = b""  # whoever stops here goes on behind the last line that was given
                for line in whole:
                    yield self._line(line, 1)
                self._begun = begun
                if len(begun) > LARGEST_MESSAGE:
                    self._cut()

    def _cut(self) -> None:
        """Let go of the beginning of a line that is too long; what follows it up to its end is not read as another."""
        assert self.place is not None
        self.place = Place(self.place.file, self.place.offset + len(self._begun))
        self._begun, self._is_cut = b"", True

    def _rest(self) -> Iterator[Line]:
        """Yield what a file ends with that has no end of a line; nobody writes it any more."""
        if self._begun:
            yield self._line(self._begun, 0)
        self._begun = b""

    def _line(self, line: bytes, end: int) -> Line:
        assert self.place is not None
        self.place = Place(self.place.file, self.place.offset + len(line) + end)
        is_cut, self._is_cut = self._is_cut or len(line) > LARGEST_MESSAGE, False
        return Line(line, self.place, is_cut)

    def _order(self, file: str) -> tuple[int, ...] | None:
        return self._folder.order(PurePath(file))

    def _files(self) -> list[str]:
        root = self._folder.path
        found = [str(each.relative_to(root)) for each in root.rglob("*") if each.is_file()] if root.is_dir() else []
        return sorted(
            (each for each in found if self._order(each) is not None), key=lambda each: self._order(each) or ()
        )
