"""Frames from a folder of JSON lines: `<folder>/<venue>/<channel>.jsonl`, and `rest_<name>.jsonl` for REST answers.

One frame or HTTP body a line, as in an archive of raw frames. What a line answers is read from the line itself.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson

from collectors.errors import CollectorError
from collectors.simulator.host import Answer

_NAMED = ("symbol", "pair", "instId")
_CHOICES = (*_NAMED, "instType", "category", "instFamily")


class RecordingError(CollectorError):
    """A folder or a line that cannot be played; names it."""


class Recorded(NamedTuple):
    """A frame: which host sends it, and what the listeners of each topic get who may get it."""

    venue: str
    host: str
    payloads: Mapping[str, bytes]


def frames(folder: Path, readers: Mapping[str, Callable[[str, bytes], Recorded | None]]) -> list[Recorded]:
    """Return every WebSocket frame below the folder, file by file; acknowledgements and the like are left out.

    `readers`: by venue, what gives a line of a file its host and topics. Raises RecordingError for a folder with none of
    the venues, or a line that is not JSON.
    """
    venues = [venue for venue in readers if (folder / venue).is_dir()]
    if not venues:
        raise RecordingError(f"{folder} has none of the folders {', '.join(readers)}")
    return [
        recorded
        for venue in venues
        for path in sorted((folder / venue).glob("*.jsonl"))
        if not path.name.startswith("rest_")
        for line in _lines(path)
        if (recorded := readers[venue](path.name, line)) is not None
    ]


class RecordedRest:
    """One host's REST, answered from `rest_*.jsonl` of a venue's folder, or those behind `rest_` with a `prefix`.

    `nothing`: the venue's answer with a status where no line is of what was asked for.
    """

    def __init__(self, folder: Path, nothing: Callable[[int], Answer], prefix: str = "") -> None:
        self._nothing = nothing
        self._bodies: dict[str, list[bytes]] = {}
        for path in sorted(folder.glob(f"rest_{prefix}*.jsonl")):
            name = path.stem.removeprefix(f"rest_{prefix}")
            self._bodies[name] = list(_lines(path))
        self._turns = {name: itertools.count() for name in self._bodies}

    def __call__(self, path: str, query: dict[str, str]) -> Answer:
        """Answer with a line that holds what was asked for, in turn where several do."""
        name = next((name for name in self._bodies if _ends_with(path, name)), None)
        if name is None or any(query.get(key) for key in ("cursor", "after")):
            return self._nothing(404 if name is None else 200)
        wanted = [f'"{query[key]}"'.encode() for key in _CHOICES if key in query]
        named = [f'"{query[key]}"'.encode() for key in _NAMED if key in query and self._tells(name, key)]
        bodies = [body for body in self._bodies[name] if all(text in body for text in named)]
        if not bodies:
            return self._nothing(200)
        best = max(sum(text in body for text in wanted) for body in bodies)
        bodies = [body for body in bodies if sum(text in body for text in wanted) == best]
        return Answer(200, bodies[next(self._turns[name]) % len(bodies)])

    def _tells(self, name: str, key: str) -> bool:
        """Whether the bodies of a file name what they are of; klines do not."""
        return any(f'"{key}":'.encode() in body for body in self._bodies[name])


def _lines(path: Path) -> Iterator[bytes]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise RecordingError(f"{path}:{number} is not JSON: {error}") from None
        yield line


def _ends_with(path: str, name: str) -> bool:
    """Whether a file's name is the end of a path: funding_history of /v5/market/funding/history."""
    plain = name.removeprefix("rubik_").removeprefix("contracts_").replace("_", "/")
    return path.endswith("/" + plain) and ("/rubik/" in path) == name.startswith("rubik_")
