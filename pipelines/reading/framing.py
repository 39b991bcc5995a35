"""How recordings of frames are framed: one JSON document a line, and the other forms in which people keep them.

Compressed (gzip, zip), with a byte order mark, CRLF, blank lines; documents over several lines; arrays of frames; frames
behind a time stamp or other columns, or in an object of a recorder's own (payload, message, body, ...) as JSON or as text.
A frame's bytes are never changed, only what is around them is left away.
"""

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

import msgspec

from pipelines.venues.registry import Named
from pipelines.venues.wire import BAD

MARK = b"\xef\xbb\xbf"
BLANK = b" \t\r\n\x00\x1e"
MOST_BYTES = 64 * 1024 * 1024  # of a document over several lines
MOST_STARTS = 64  # brackets at which a document is looked for in a line
DEEPEST = 4  # wrappers in wrappers
NAMES = ("channel", "stream", "topic", "endpoint", "path", "url")
CARRIERS = frozenset(
    (
        "payload", "raw", "raw_payload", "raw_message", "msg", "message", "body", "frame", "event", "content", "text", "line",
        "response", "answer", "data",
    )
)  # fmt: skip
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}"]')
_CELL = re.compile(rb'"([\[{].*[\]}])"', re.DOTALL)  # of CSV, where a quote is written twice
_START = re.compile(r"[\[{]")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_text = msgspec.json.Decoder(str).decode
_any = msgspec.json.Decoder().decode
_scan = json.JSONDecoder().raw_decode


class Document(NamedTuple):
    """A frame. `line`: where it begins, from 1; `named`: what it says it is; `channel`, `symbol`: what its wrapper says."""

    line: int
    payload: bytes
    named: Named | None = None
    channel: str | None = None
    symbol: str | None = None


class Reader(NamedTuple):
    """What tells frames from what is around them. `name`: what a frame says it is, None for no frame of the venue;
    `asked`: the venue's channel and symbol (`*`: not told) by a wrapper's words, None for none; `given`: every document is
    of a channel that is told from outside."""

    name: Callable[[bytes], Named | None]
    asked: Callable[[str], Named | None]
    given: bool = False


def uncompressed(source: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file, those inside gzip and zip. Raises OSError, EOFError, zlib.error or BadZipFile."""
    buffered = source if hasattr(source, "peek") else io.BufferedReader(source)  # type: ignore[type-var]
    start = buffered.peek(4)[:4]
    if start[:2] == b"\x1f\x8b":
        yield from gzip.GzipFile(fileobj=buffered)
    elif start == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(buffered.read())) as archive:
            for entry in archive.infolist():
                with archive.open(entry) as inside:
                    yield from inside
    elif start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        yield from (line.encode() for line in io.TextIOWrapper(buffered, "utf-16"))
    else:
        yield from buffered


def documents(lines: Iterable[bytes], reader: Reader) -> Iterator[Document]:
    """Yield every frame of a recording. What is no frame is yielded as it lies there, line by line."""
    held = _Held(reader)
    for number, line in enumerate(lines, 1):
        text = line.removeprefix(MARK).strip(BLANK) if number == 1 else line.strip(BLANK)
        if not text:
            continue
        if not held.lines and (named := reader.name(text)) is not None:
            yield Document(number, text, named)
        else:
            yield from held.take(number, text)
    yield from held.let_go()


class _Held:
    """Lines of a document that goes on, as long as its brackets are open."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.lines: list[tuple[int, bytes]] = []
        self._depth = 0
        self._size = 0

    def take(self, number: int, text: bytes) -> Iterator[Document]:
        """Yield what is whole with this line."""
        if self.lines and self.lines[-1][1][-1:] not in b",:[{" and self._reader.name(text) is not None:
            yield from self.let_go()  # after a line that was cut comes a frame
        opens = _opens(text)
        if not self.lines and (not opens or opens < 0 or text[:1] not in b"[{"):
            yield from _of_line(number, text, self._reader)
            return
        self.lines.append((number, text))
        self._size += len(text)
        if opens is None or self._size > MOST_BYTES:
            yield from self.let_go()
            return
        self._depth += opens
        if self._depth <= 0:
            whole = b"\n".join(part for _, part in self.lines)
            first = self.lines[0][0]
            self._forget()
            yield from _of_line(first, whole, self._reader)

    def let_go(self) -> Iterator[Document]:
        """Yield the lines one by one: they are no document together."""
        lines = self.lines
        self._forget()
        for number, text in lines:
            if text not in (b"[", b"]"):
                yield from _of_line(number, text, self._reader)

    def _forget(self) -> None:
        self.lines, self._depth, self._size = [], 0, 0


def _opens(text: bytes) -> int | None:
    """Return how many more brackets a text opens than it closes; None where it ends inside a string."""
    tokens = _TOKENS.findall(text)
    if b'"' in tokens:
        return None
    return sum(1 if token in b"[{" else -1 for token in tokens if len(token) == 1)


def _of_line(number: int, text: bytes, reader: Reader) -> Iterator[Document]:
    try:
        _any(text)
    except BAD:
        found = _inside(text, reader)
    else:
        found = _unwrapped(text, reader)
    for each in found or [Document(0, text)]:
        yield each._replace(line=number)


def _unwrapped(payload: bytes, reader: Reader, depth: int = 0) -> list[Document]:
    """Return the frames in a JSON document: itself, those of an array, what a recorder's object carries; or none."""
    if (named := reader.name(payload)) is not None:
        return [Document(0, payload, named)]
    if depth == DEEPEST:
        return []
    kind = payload.lstrip()[:1]
    if kind == b"[":
        return _of_array(payload, reader, depth)
    if kind == b'"':
        text = _text(payload).strip()
        return _unwrapped(text.encode(), reader, depth + 1) if _is_json(text.encode()) else []
    return _of_object(payload, reader, depth) if kind == b"{" else []


def _of_array(payload: bytes, reader: Reader, depth: int) -> list[Document]:
    """An array of frames, or one frame with a time and the like beside it."""
    items = [bytes(item) for item in _items(payload)]
    found = [_unwrapped(item, reader, depth + 1) for item in items]
    if all(found):
        return list(chain.from_iterable(found))
    beside = [item for item, frames in zip(items, found, strict=True) if not frames]
    one_frame = len(items) - len(beside) == 1 and all(item[:1] not in b"[{" for item in beside)
    return list(chain.from_iterable(found)) if one_frame else []


def _of_object(payload: bytes, reader: Reader, depth: int) -> list[Document]:
    members = {key: bytes(value) for key, value in _members(payload).items()}
    words = {key: _word(value) for key, value in members.items()}
    asked = next((told for key in NAMES if (told := reader.asked(words.get(key) or ""))), None)
    channel = asked.channel if asked else None
    symbol = words.get("symbol") or (asked.symbol if asked else None)
    for key, value in members.items():
        if value[:1] in b'[{"' and (found := _unwrapped(value, reader, depth + 1)):
            return [each._replace(channel=each.channel or channel, symbol=each.symbol or symbol) for each in found]
        inner = _carried(value) if key in CARRIERS and (asked or reader.given) else None
        if inner and (asked or key != "data" or inner[:1] == b"{"):  # OKX has a list `data` of its own
            return [Document(0, inner, None, channel, symbol)]
    return []


def _word(value: bytes) -> str | None:
    return _text(value) if value[:1] == b'"' else None


def _carried(value: bytes) -> bytes | None:
    """Return an object or array, as it is or written as a text."""
    inner = _text(value).strip().encode() if value[:1] == b'"' else value
    return inner if inner[:1] in (b"[", b"{") and _is_json(inner) else None


def _is_json(text: bytes) -> bool:
    try:
        _any(text)
    except BAD:
        return False
    return True


def _inside(text: bytes, reader: Reader) -> list[Document]:
    """Return the frames in a line that is no JSON: behind or before other columns, or one after another."""
    if (cell := _CELL.search(text)) is not None and _is_json(unquoted := cell[1].replace(b'""', b'"')):
        return _unwrapped(unquoted, reader) or ([Document(0, unquoted)] if reader.given else [])
    parts = list(_documents_in(text.decode(errors="surrogateescape")))
    frames = [frame for part in parts for frame in _unwrapped(part, reader)]
    return frames or ([Document(0, max(parts, key=len))] if parts and reader.given else [])


def _documents_in(text: str) -> Iterator[bytes]:
    position = 0
    for _ in range(MOST_STARTS):
        if (start := _START.search(text, position)) is None:
            return
        try:
            _, end = _scan(text, start.start())
        except (ValueError, RecursionError):
            position = start.end()
        else:
            yield text[start.start() : end].encode(errors="surrogateescape")
            position = end
