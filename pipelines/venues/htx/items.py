"""What an HTX message holds: a notification with `data`, or an answer with `status` and `data`, which may hold a page."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Row
from pipelines.venues.wire import BAD, each_raw, nothing, rejected

Item = TypeVar("Item")


class _Frame(msgspec.Struct):
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    ts: int = 0
    status: str = "ok"
    code: int | str = msgspec.field(default=0, name="err_code")
    msg: Any = msgspec.field(default="", name="err_msg")


class _Page(msgspec.Struct):
    data: Sequence[msgspec.Raw] = ()
    orders: Sequence[msgspec.Raw] = ()


_frame = msgspec.json.Decoder(_Frame).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_page = msgspec.json.Decoder(_Page).decode


def read_data(
    frame: RawFrame, decode: Callable[[msgspec.Raw], Item], read: Callable[[int, Item], Iterable[Row]]
) -> list[Row]:
    """Return the rows of every item, each with the time of the whole (UTC ms); a refusal carries none."""
    try:
        found = _frame(frame.payload)
        if found.status != "ok":
            return nothing(f"error reply {found.code}: {found.msg or ''}")
        if found.data is msgspec.UNSET:
            return rejected(ValueError("not as documented: a frame without data"))
        if bytes(found.data)[:1] == b"[":
            items: Sequence[msgspec.Raw] = _list(found.data)
        else:
            page = _page(found.data)
            items = page.data or page.orders
    except BAD as error:
        return rejected(error)
    return each_raw(items, decode, lambda item: read(found.ts, item))
