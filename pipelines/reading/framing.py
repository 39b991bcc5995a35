"""How recordings of frames are framed: one JSON document a line, and the other forms in which people keep them.

With a byte order mark, CRLF, blank lines; documents over several lines; arrays of frames; frames behind a time stamp or
other columns, or in an object of a recorder's own (payload, message, body, ...) as JSON or as text. A frame's bytes are
never changed, only what is around them is left away. A line that cannot be read costs that line.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import msgspec

from pipelines.reading.pieces import cell, is_json, pieces
from pipelines.reading.unpacking import MOST_BYTES, Damage, Part
from pipelines.venues.venue import Named
from pipelines.venues.wire import BAD

MARK = b"\xef\xbb\xbf"
BLANK = b" \t\r\n\x00\x1e"
MOST_LINES = 2_000_000  # of a document
MOST_VALUES = 8_000_000  # in an array
DEEPEST = 4  # wrappers in wrappers
NAMES = ("channel", "stream", "topic", "endpoint", "path", "url")
CARRIERS = frozenset(
    (
        "payload", "raw", "raw_payload", "raw_message", "msg", "message", "body", "frame", "event", "content", "text", "line",
        "response", "answer", "data",
    )
)  # fmt: skip
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+("?)', re.DOTALL)  # to its closing quote, else to the end
BROKEN = "?"  # channel of what is neither a frame nor another column
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_text = msgspec.json.Decoder(str).decode


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


def documents(lines: Iterable[Part], reader: Reader) -> Iterator[Document]:
    """Yield every frame of a recording. What is no frame is yielded as it lies there, line by line; where the file is
    damaged a document of the channel `?` and why."""
    held = _Held(reader)
    for number, line in enumerate(lines, 1):
        if isinstance(line, Damage):
            yield from held.let_go()
            yield Document(number, line.cut, None, f"?{line.why}", "*")
            continue
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
        self._depth += opens or 0
        if opens is None or self._size > MOST_BYTES or len(self.lines) > MOST_LINES:
            yield from self.let_go()
            return
        if self._depth <= 0:
            yield from self._placed(_of_document)

    def let_go(self) -> Iterator[Document]:
        """Yield the frames among the lines, which are no document together; where there is none, the lines one by one."""
        lines = self.lines
        found = list(self._placed(_inside)) if len(lines) > 1 else []
        self._forget()
        yield from found or chain.from_iterable(
            _of_line(number, text, self._reader) for number, text in lines if text not in (b"[", b"]")
        )

    def _placed(self, read: Callable[[bytes, Reader], list[Document]]) -> Iterator[Document]:
        """Yield what is read of all the lines together, each with the line of the file that it begins in."""
        lines = self.lines
        self._forget()
        found = read(b"\n".join(text for _, text in lines), self._reader)
        yield from (each._replace(line=lines[each.line][0]) for each in found)

    def _forget(self) -> None:
        self.lines, self._depth, self._size = [], 0, 0


def _opens(text: bytes) -> int | None:
    """Return how many more brackets a text opens than it closes; None where it ends inside a string."""
    bare, strings = _STRING.subn(rb"\1", text)
    if bare.count(b'"') < strings:
        return None
    return bare.count(b"[") + bare.count(b"{") - bare.count(b"]") - bare.count(b"}")


def _of_line(number: int, text: bytes, reader: Reader) -> Iterator[Document]:
    yield from (each._replace(line=number) for each in _of_document(text, reader))


def _of_document(text: bytes, reader: Reader) -> list[Document]:
    """Return the frames of one line, or of lines that belong together, with the line of those each begins in, from 0."""
    found = _frames_of(text, reader) if is_json(text) else _inside(text, reader)
    return found or [Document(0, text)]


def _frames_of(text: bytes, reader: Reader, depth: int = 0) -> list[Document]:
    """Return the frames in what looks like a document; none where a part of it cannot be read after all."""
    try:
        return _unwrapped(text, reader, depth)
    except BAD:
        return []


def _unwrapped(payload: bytes, reader: Reader, depth: int) -> list[Document]:
    """Return the frames in a JSON document: itself, those of an array, what a recorder's object carries; or none."""
    if (named := reader.name(payload)) is not None:
        return [Document(0, payload, named)]
    if depth == DEEPEST:
        return []
    kind = payload.lstrip()[:1]
    if kind == b"[":
        return _of_array(payload, reader, depth)
    if kind == b'"':
        text = _text(payload).strip().encode()
        return _frames_of(text, reader, depth + 1) if is_json(text) else []
    return _of_object(payload, reader, depth) if kind == b"{" else []


def _of_array(payload: bytes, reader: Reader, depth: int) -> list[Document]:
    """Return the frames of an array and what lies there in a frame's place, but no time or the like beside them."""
    if payload.count(b",") > MOST_VALUES:
        return []
    found: list[Document] = []
    line = end = 0
    for item in map(bytes, _items(payload)):
        start = payload.index(item, end)
        line, end = line + payload.count(b"\n", end, start), start
        if item[:1] in b'[{"':
            found += [each._replace(line=line + each.line) for each in _frames_of(item, reader, depth + 1)] or (
                [Document(line, item)] if item[:1] != b'"' else []
            )
    return found if any(each.named or each.channel for each in found) else []


def _of_object(payload: bytes, reader: Reader, depth: int) -> list[Document]:
    members = {key: bytes(value) for key, value in _members(payload).items()}
    words = {key: _word(value) for key, value in members.items()}
    asked = next((told for key in NAMES if (told := reader.asked(words.get(key) or ""))), None)
    channel = asked.channel if asked else None
    symbol = words.get("symbol") or (asked.symbol if asked else None)
    for key, value in members.items():
        if value[:1] in b'[{"' and (found := _frames_of(value, reader, depth + 1)):
            return [each._replace(channel=each.channel or channel, symbol=each.symbol or symbol) for each in found]
        inner = _carried(value) if key in CARRIERS and (asked or reader.given) else None
        if inner and (asked or key != "data" or inner[:1] == b"{"):  # a venue may have a list `data` of its own
            return [Document(0, inner, None, channel, symbol)]
    return []


def _word(value: bytes) -> str | None:
    try:
        return _text(value) if value[:1] == b'"' else None
    except BAD:
        return None


def _carried(value: bytes) -> bytes | None:
    """Return an object or array, as it is or written as a text."""
    inner = (_word(value) or "").strip().encode() if value[:1] == b'"' else value
    return inner if inner[:1] in (b"[", b"{") and is_json(inner) else None


def _inside(text: bytes, reader: Reader) -> list[Document]:
    """Return the frames in what is no JSON: behind or before other columns, one after another, with the line each begins in.

    Between frames what begins as one and is none is returned as it lies there.
    """
    if (unquoted := cell(text)) and is_json(unquoted):
        return _frames_of(unquoted, reader) or ([Document(0, unquoted)] if reader.given else [])
    found: list[Document] = []
    others: list[Document] = []
    for line, part, sound in pieces(text):
        if frames := _frames_of(part, reader) if sound else []:
            found += [each._replace(line=line + each.line) for each in frames]
        else:
            others.append(Document(line, part, None, None if sound else BROKEN))
    if not found:
        return [max(others, key=lambda each: len(each.payload))] if others and reader.given else []
    broken = [each._replace(channel=None) for each in others if each.channel == BROKEN]
    return sorted([*found, *broken], key=lambda each: each.line)
