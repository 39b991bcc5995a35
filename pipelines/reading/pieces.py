"""Documents in a text that is no JSON as a whole: behind or before other columns, quoted, one after another."""

import json
import re
from collections.abc import Iterator
from itertools import islice

import msgspec

from pipelines.venues.wire import BAD

NESTED = 1_000  # brackets in brackets; deeper no decoder goes
IN_VAIN = 4_000_000  # characters read, whatever the text's length
_CELL = re.compile(rb'"[\[{]')  # of CSV, where a quote is written twice
_START = re.compile(r"[\[{]")
_BEGUN = re.compile(r'[\[{]\s*["\[{\x00]')
_valid = msgspec.json.Decoder(msgspec.Raw).decode
_scan = json.JSONDecoder().raw_decode


def is_json(text: bytes) -> bool:
    """Say whether a text is built as JSON is; what its strings hold is not looked at."""
    try:
        _valid(text)
    except BAD:
        return False
    return True


def cell(text: bytes) -> bytes:
    """Return the document in a quoted column, from its first bracket to its last; nothing where there is none."""
    start, end = _CELL.search(text), max(text.rfind(b']"'), text.rfind(b'}"'))
    return text[start.end() - 1 : end + 1].replace(b'""', b'"') if start and end >= start.end() else b""


def pieces(text: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """Yield the documents in a text, with the line each begins in, and between them what begins as one and is none (False).

    Looking for them costs no more than to read the text some times over: behind that the rest is yielded as it is.
    """
    spelled = text.decode(errors="surrogateescape")
    done = position = line = cost = 0
    leap = 1
    while cost <= IN_VAIN + 4 * len(spelled) and (start := _START.search(spelled, position)):
        document, end = _document(spelled, start.start())
        if document is None:
            cost += (end - start.start() if end >= 0 else NESTED) + end // 100  # an error counts the lines before it
            position = start.end() if end >= 0 else _later(spelled, start.end(), leap)
            leap = min(2 * leap, NESTED // 2) if end < 0 else 1
            continue
        leap = 1
        if before := _begun(spelled[done : start.start()]):
            yield line + spelled.count("\n", done, start.start() - len(before)), _bytes(before), False
        yield line + spelled.count("\n", done, start.start()), document, True
        line, done, position = line + spelled.count("\n", done, end), end, end
    if rest := _begun(spelled[done:]):
        yield line + spelled.count("\n", done, len(spelled) - len(rest)), _bytes(rest), False


def _document(text: str, start: int) -> tuple[bytes | None, int]:
    """Return the document that begins at a bracket, None where none does, and how far it was read, -1 where it is too deep."""
    try:
        _, end = _scan(text, start)
        document = _bytes(text[start:end])
        document.decode()
    except UnicodeDecodeError:
        return None, end
    except json.JSONDecodeError as error:
        return None, error.pos
    except RecursionError:
        return None, -1
    except ValueError:
        return None, start
    return (document if is_json(document) else None), end


def _later(text: str, position: int, count: int) -> int:
    """Return where to go on in what is nested too deep: so many brackets on, since one is as bad as the next."""
    ahead = [start.start() for start in islice(_START.finditer(text, position), count)]
    return ahead[-1] if ahead else position


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _begun(text: str) -> str:
    """Return a text from where something like a frame begins in it; nothing where nothing does."""
    found = _BEGUN.search(text)
    return text[found.start() :] if found else ""
