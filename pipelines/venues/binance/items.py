"""What a Binance frame holds: one object or an array of them, bare or behind `stream` and `data`, or an error reply."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from pipelines.facts import Row
from pipelines.venues.wire import BAD, each_raw, nothing, numbered, plausible, rejected

Item = TypeVar("Item")


class _Wrapper(msgspec.Struct):
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: int | None = None
    msg: str = ""


_wrapper = msgspec.json.Decoder(_Wrapper).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode


def read_items(
    payload: bytes, decode: Callable[[msgspec.Raw], Item], read: Callable[[Item], Iterable[Row]]
) -> list[Row]:
    """Return the rows of every item, each decoded on its own; an error reply of a REST host carries none."""
    try:
        inner = payload.lstrip()
        if inner[:1] != b"[":
            wrapper = _wrapper(inner)
            if wrapper.code is not None and wrapper.msg:
                return nothing(f"error reply {wrapper.code}: {wrapper.msg}")
            if wrapper.data is not msgspec.UNSET:
                inner = bytes(wrapper.data)
        if inner[:1] != b"[":
            return plausible(read(decode(msgspec.Raw(inner))))
        items = _raws(inner)
    except BAD as error:
        return rejected(error)
    return numbered(each_raw(items, decode, read))
