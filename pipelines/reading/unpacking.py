"""The lines of a file, plain or packed (gzip, zip, LZ4, UTF-16), and where it is damaged: that costs no other line."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of a line, and of a document over several: larger than any frame that fits a Kafka record."""
GZIP, ZIP, LZ4, UTF_16 = b"\x1f\x8b", b"PK\x03\x04", b"\x04\x22\x4d\x18", (b"\xff\xfe", b"\xfe\xff")
_HEADER, _HEADER_BYTES = re.compile(rb"\x1f\x8b\x08[\x00-\x1f].{4}[\x00\x02\x04][\x00-\x0d\xff]", re.DOTALL), 10
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1d\x7f]")
_CHUNK = 64 * 1024
MOST_INSIDE = 1024**3
_AT_ONCE = 1024 * 1024  # of what one chunk of gzip may become
_TRIED = 4096  # bytes of gzip that show whether it is one
_OF_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError)


class Damage(NamedTuple):
    """A place where lines could not be read, with why, and what there is of the line that is cut there."""

    why: str
    cut: bytes = b""


Part = bytes | Damage


def lines_of(source: BinaryIO) -> Iterator[Part]:
    """Yield the lines of a file, those inside gzip, zip and LZ4, and every damage in its place. Raises OSError."""
    buffered = source if hasattr(source, "peek") else io.BufferedReader(source)  # type: ignore[type-var]
    start = buffered.peek(4)[:4]
    if start[:2] == GZIP:
        return _lines(_gunzipped(buffered))
    if start == ZIP:
        return _of_zip(buffered)
    if start == LZ4:
        return _lines(_of_lz4(buffered))
    return _of_utf_16(buffered) if start[:2] in UTF_16 else _of_plain(buffered)


def _of_plain(source: BinaryIO) -> Iterator[Part]:
    while line := source.readline(MOST_BYTES + 1):
        if len(line) > MOST_BYTES:
            while not line.endswith(b"\n") and (line := source.readline(_AT_ONCE)):
                pass
            yield _too_long()
        else:
            yield line


def _too_long() -> Damage:
    return Damage(f"a line of more than {MOST_BYTES // 1024**2} MiB")


def _of_utf_16(source: BinaryIO) -> Iterator[Part]:
    """Yield lines as UTF-8; what is no UTF-16 becomes \\x.., which is no JSON either."""
    text = io.TextIOWrapper(source, "utf-16", errors="backslashreplace")
    while line := text.readline(MOST_BYTES + 1):
        if len(line) > MOST_BYTES:
            while not line.endswith("\n") and (line := text.readline(_AT_ONCE)):
                pass
            yield _too_long()
        else:
            yield line.encode(errors="backslashreplace")


def _of_zip(source: BinaryIO) -> Iterator[Part]:
    packed = source.read()
    try:
        archive = zipfile.ZipFile(io.BytesIO(packed))
    except (zipfile.BadZipFile, ValueError) as error:
        yield from _of_cut_zip(packed, f"a zip that cannot be opened: {error}")
        return
    for entry in archive.infolist():
        try:
            with archive.open(entry) as inside:
                yield from _of_plain(inside)  # type: ignore[arg-type]
        except _OF_ZIP as error:
            yield Damage(f"{entry.filename!r} in the zip is damaged: {error or type(error).__name__}")


def _of_cut_zip(packed: bytes, why: str) -> Iterator[Part]:
    """Yield what the first file in a zip has up to where the zip is cut, then that."""
    method, name, extra = (
        int.from_bytes(packed[8:10], "little"),
        *(int.from_bytes(packed[at : at + 2], "little") for at in (26, 28)),
    )
    if method != zipfile.ZIP_DEFLATED:
        yield Damage(why)
        return
    inflate, data = zlib.decompressobj(-15), packed[30 + name + extra :]
    blocks: list[Part] = []
    try:
        blocks.append(inflate.decompress(data, MOST_INSIDE))
        cut = not inflate.eof
    except zlib.error:
        blocks.append(_before_error(zlib.decompressobj(-15), data))
        cut = True
    yield from _lines([*blocks, Damage(f"{why}; the file inside {'is cut here' if cut else 'was read to its end'}")])


def _of_lz4(source: BinaryIO) -> Iterator[Part]:
    """Yield what LZ4 frames hold, up to where one is cut or broken; what is behind that cannot be read."""
    import pyarrow as pa  # here, because few files need it

    packed = pa.CompressedInputStream(pa.PythonFile(source, "r"), "lz4")
    try:
        while block := packed.read(_CHUNK):
            yield block
    except OSError as error:
        yield Damage(f"LZ4 is damaged or cut here: {error}")


def _lines(blocks: Iterable[Part]) -> Iterator[Part]:
    """Cut blocks into lines; one that a damage cuts is kept with that."""
    held, size = list[bytes](), 0
    for block in blocks:
        if isinstance(block, Damage):
            yield block._replace(cut=b"".join(held))
            held, size = [], 0
            continue
        *whole, rest = block.split(b"\n")
        for line in whole:
            yield _too_long() if size + len(line) > MOST_BYTES else b"".join((*held, line, b"\n"))
            held, size = [], 0
        size += len(rest)
        if size > MOST_BYTES:
            held = []
        elif rest:
            held.append(rest)
    if size:
        yield _too_long() if size > MOST_BYTES else b"".join(held)


def _gunzipped(source: BinaryIO) -> Iterator[Part]:
    """Yield what gzip holds, part after part; behind a part that is cut or broken, go on with the next."""
    inflate: zlib._Decompress | None = None
    broken = False
    for begins, data in _parts(source):
        if begins:
            yield from _end_of(inflate)
            inflate, broken = zlib.decompressobj(31), False
        while data and not broken:
            if inflate is None:
                if not (data := data.lstrip(b"\x00")):
                    break
                inflate = zlib.decompressobj(31)
            kept = inflate.copy()
            try:
                yield inflate.decompress(data, _AT_ONCE)
            except zlib.error as error:
                yield _before_error(kept, data)
                yield Damage(f"gzip is damaged: {error}")
                inflate, broken = None, True
            else:
                data = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
                inflate = None if inflate.eof else inflate
    yield from _end_of(inflate)


def _end_of(inflate: "zlib._Decompress | None") -> Iterator[Part]:
    """Yield what a part of gzip still holds where no more of it comes."""
    if inflate is None:
        return
    with suppress(zlib.error):
        yield inflate.flush()
    if not inflate.eof:
        yield Damage("gzip ends too early: it is cut here")


def _before_error(inflate: "zlib._Decompress", data: bytes) -> bytes:
    """Return what bytes that break gzip give before they do."""
    found, sound, step = list[bytes](), 0, len(data)
    while step:
        ahead = inflate.copy()
        try:
            text = ahead.decompress(data[sound : sound + step])
        except zlib.error:
            step //= 2
        else:
            found.append(text)
            inflate, sound = ahead, sound + step
    return b"".join(found)


def _parts(source: BinaryIO) -> Iterator[tuple[bool, bytes]]:
    """Yield the bytes of a gzip file, and with them whether a part begins there: one that is cut before would swallow it."""
    window, begins, ended = b"", True, False
    while not ended:
        more = source.read(_CHUNK)
        window, ended, at = window + more, not more, 0
        sure = len(window) if ended else max(len(window) - _TRIED, 0)
        for found in _HEADER.finditer(window, 0, sure + _HEADER_BYTES):
            start = found.start()
            if start < sure and _is_text(window[start : start + _TRIED]):
                if at < start:
                    yield begins, window[at:start]
                begins, at = True, start
        if at < sure:
            yield begins, window[at:sure]
            begins = False
        window = window[sure:]


def _is_text(packed: bytes) -> bool:
    """Say whether these bytes are gzip's, and text."""
    try:
        text = zlib.decompressobj(31).decompress(packed, _TRIED)
    except zlib.error:
        return False
    return bool(text) and not _CONTROL.search(text)
