"""Frames from a folder of JSON lines: `<folder>/<venue>/<channel>.jsonl`, and `rest_<name>.jsonl` for REST answers.

One frame or HTTP body a line, as in an archive of raw frames. What a line answers is read from the line itself.
"""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from collectors.errors import CollectorError
from collectors.simulator.contracts import VENUES
from collectors.simulator.host import Answer, json_answer

INVERSE = re.compile(r"USD([FGHJKMNQUVXZ]\d\d)?$")
_NAMED = ("symbol", "pair", "instId")
_CHOICES = (*_NAMED, "instType", "category", "instFamily")


class RecordingError(CollectorError):
    """A folder or a line that cannot be played; names it."""


class Recorded(NamedTuple):
    """A frame: which host ("um", "cm", "bybit", "okx") sends it, and the topics whose listeners may get it."""

    venue: str
    host: str
    topics: tuple[str, ...]
    payload: bytes


def frames(folder: Path) -> list[Recorded]:
    """Return every WebSocket frame below the folder, file by file; acknowledgements and the like are left out.

    Raises RecordingError for a folder with none of the venues, or a line that is not JSON.
    """
    venues = [venue for venue in VENUES if (folder / venue).is_dir()]
    if not venues:
        raise RecordingError(f"{folder} has none of the folders {', '.join(VENUES)}")
    return [
        recorded
        for venue in venues
        for path in sorted((folder / venue).glob("*.jsonl"))
        if not path.name.startswith("rest_")
        for line in _lines(path)
        if (recorded := _recorded(venue, path.name, line)) is not None
    ]


class RecordedRest:
    """One host's REST, answered from `rest_*.jsonl`. `prefix`: um_ or cm_ on Binance, else empty."""

    def __init__(self, folder: Path, venue: str, prefix: str = "") -> None:
        self._venue = venue
        self._bodies: dict[str, list[bytes]] = {}
        for path in sorted((folder / venue).glob(f"rest_{prefix}*.jsonl")):
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

    def _nothing(self, status: int) -> Answer:
        empty: dict[str, Any] = {
            "binance": {"code": -1121, "msg": "Invalid symbol."},
            "bybit": {"retCode": 0, "retMsg": "OK", "result": {"list": [], "nextPageCursor": ""}, "retExtInfo": {},
                      "time": 0},
            "okx": {"code": "0", "msg": "", "data": []},
        }  # fmt: skip
        return json_answer(empty[self._venue], 400 if self._venue == "binance" and status == 200 else status)


def _lines(path: Path) -> Iterator[bytes]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise RecordingError(f"{path}:{number} is not JSON: {error}") from None
        yield line


def _recorded(venue: str, file: str, line: bytes) -> Recorded | None:
    message = orjson.loads(line)
    if venue == "binance":
        return _binance("cm" if file.startswith("cm_") else "um", message, line)
    if not isinstance(message, dict):
        return None
    if venue == "bybit" and isinstance(topic := message.get("topic"), str):
        category = "inverse" if INVERSE.search(topic) else "linear"
        return Recorded(venue, "bybit", (f"{category}/{topic}",), line)
    arg = message.get("arg")
    if venue == "okx" and isinstance(arg, dict) and "data" in message:
        name = arg.get("instId") or arg.get("instType")
        return Recorded(venue, "okx", (f"{arg['channel']}:{name}",), line)
    return None


def _binance(host: str, message: Any, line: bytes) -> Recorded | None:
    streams: list[str] = []
    payload = line
    if isinstance(message, dict) and "stream" in message:
        streams, payload = [message["stream"]], line[line.index(b'"data":') + 7 : -1]
        message = message["data"]
    first = message[0] if isinstance(message, list) and message else message
    if not isinstance(first, dict) or "e" not in first:
        return None
    symbol = str(first.get("s") or first.get("o", {}).get("s", "")).lower()
    speeds = ("", "@1s")
    if first["e"] == "forceOrder":
        streams += ["!forceOrder@arr", f"{symbol}@forceOrder"]
    elif first["e"] == "markPriceUpdate" and isinstance(message, list):
        streams += [f"!markPrice@arr{speed}" for speed in speeds]
    elif first["e"] == "markPriceUpdate":
        streams += [f"{symbol}@markPrice{speed}" for speed in speeds] + [f"!markPrice@arr{speed}" for speed in speeds]
    elif first["e"] == "contractInfo":
        streams += ["!contractInfo"]
    elif first["e"] == "kline":
        streams += [f"{symbol}@kline_{first['k']['i']}"]
    return Recorded("binance", host, tuple(dict.fromkeys(streams)), payload) if streams else None


def _ends_with(path: str, name: str) -> bool:
    """Whether a file's name is the end of a path: funding_history of /v5/market/funding/history."""
    plain = name.removeprefix("rubik_").removeprefix("contracts_").replace("_", "/")
    return path.endswith("/" + plain) and ("/rubik/" in path) == name.startswith("rubik_")
