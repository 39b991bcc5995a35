"""A table (CSV) in pieces that fit a Kafka record, read as far as a damaged file goes; each piece begins with the header."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from pipelines.errors import NotADumpError
from pipelines.reading.unpacking import Damage, lines_of

PART_BYTES = 4 * 1024 * 1024
CHECKSUM = ".CHECKSUM"


def first_line(path: Path) -> str:
    """Return the first line of a file, plain or packed; empty where there is none. Raises NotADumpError."""
    try:
        with path.open("rb") as file:
            found = next((line for line in lines_of(file) if isinstance(line, bytes) and line.strip()), b"")
    except OSError as error:
        raise NotADumpError(f"{path}: {error.strerror}") from None
    return found.decode("utf-8-sig", errors="replace").strip()


def pieces(path: Path, header: Callable[[str], str] | None, told: Callable[[str], object]) -> Iterator[bytes]:
    """Yield a table in pieces of about PART_BYTES. `header`: gives the line to put above each, from the file's first; None: it
    has none. `told`: called with where the file is damaged; what is before and behind stays. Raises NotADumpError.
    """
    head, held, size = b"", list[bytes](), 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(lines_of(file), 1):
                if isinstance(line, Damage):
                    told(
                        f"{path}:{number}: {line.why}"
                        + (f"; of its last line there is {line.cut[:60]!r}" if line.cut else "")
                    )
                    continue
                if number == 1 and header is not None:
                    head = header(line.decode("utf-8-sig", errors="replace").strip()).encode() + b"\n"
                    continue
                held.append(line if line.endswith(b"\n") else line + b"\n")
                size += len(line)
                if size >= PART_BYTES:
                    yield b"".join((head, *held))
                    held, size = [], 0
    except OSError as error:
        raise NotADumpError(f"{path}: {error.strerror}") from None
    if held or head:
        yield b"".join((head, *held))


def digest(path: Path) -> str:
    """Return a file's SHA-256. Raises NotADumpError where a checksum beside it is another."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    beside = path.with_name(path.name + CHECKSUM)
    if beside.is_file() and (said := beside.read_text().split()[:1]) != [found]:
        raise NotADumpError(f"{path}: its SHA-256 is {found}, {beside.name} says {said[0] if said else 'nothing'}")
    return found
