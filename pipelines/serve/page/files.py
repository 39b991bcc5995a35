"""The files of the page that never change while the service runs: read and packed once, sent under their version."""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

STATIC = Path(__file__).parent / "static"
MEDIA = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
PACKED_FROM = 512
"""Files of fewer bytes are not packed."""


class File(NamedTuple):
    """A file as it is sent: its media type, its bytes, and the same packed with gzip (None: not worth it)."""

    media: str
    plain: bytes
    packed: bytes | None


class Files(NamedTuple):
    """`version`: changes with any of the files, so a browser may keep them for ever under it."""

    version: str
    found: Mapping[str, File]


@cache
def files() -> Files:
    """Return the files by their path below `static/`."""
    paths = sorted(path for path in STATIC.rglob("*") if path.is_file())
    found = {path.relative_to(STATIC).as_posix(): _file(path) for path in paths}
    total = hashlib.sha256()
    for name, file in found.items():
        total.update(name.encode() + b"\0" + hashlib.sha256(file.plain).digest())
    return Files(total.hexdigest()[:16], found)


def _file(path: Path) -> File:
    plain = path.read_bytes()
    media = MEDIA.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain; charset=utf-8"
    packed = gzip.compress(plain, 9, mtime=0) if len(plain) >= PACKED_FROM else None
    return File(media, plain, packed if packed and len(packed) < len(plain) else None)
