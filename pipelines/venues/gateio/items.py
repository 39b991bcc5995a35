"""What a Gate message holds: a push with `result` (an array, an object, an array in an array), or an answer, a bare list."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Row
from pipelines.venues.wire import BAD, each_raw, nothing, rejected

MS_FROM = 100_000_000_000
"""From here on a time is in milliseconds: in seconds it would be after the year 5000."""
Item = TypeVar("Item")


class _Push(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw(b"")
    time: int = 0
    time_ms: int = 0


class _Refused(msgspec.Struct):
    label: str
    message: Any = ""


_push = msgspec.json.Decoder(_Push).decode
_refused = msgspec.json.Decoder(_Refused).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def in_ms(time: int) -> int:
    """Return a time that is in seconds or, since August 2026, in milliseconds as milliseconds."""
    return time if time >= MS_FROM else time * 1000


def read_items(
    frame: RawFrame, decode: Callable[[msgspec.Raw], Item], read: Callable[[int, Item], Iterable[Row]]
) -> list[Row]:
    """Return the rows of every item, each with the time of the whole: the push's, else when the answer came; 0: not known."""
    payload = frame.payload.lstrip()
    try:
        if payload[:1] == b"[":
            return each_raw(_list(payload), decode, lambda item: read(frame.at_ns // 1_000_000, item), "")
        found = _push(payload)
        if not bytes(found.result):
            refused = _refused(payload)
            return nothing(f"error reply {refused.label}: {refused.message}")
        time = found.time_ms or in_ms(found.time)
        return each_raw(_flat(found.result), decode, lambda item: read(time, item), "result")
    except BAD as error:
        return rejected(error)


def _flat(result: msgspec.Raw) -> Sequence[msgspec.Raw]:
    if bytes(result)[:1] != b"[":
        return [result]
    return [inner for item in _list(result) for inner in (_list(item) if bytes(item)[:1] == b"[" else [item])]
