"""What an OKX frame holds: a push with `arg` and `data`, or an answer with `code` and `data`; the items are the same."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from collectors.envelope import RawFrame
from pipelines.rows import Row
from pipelines.venues.wire import BAD, each_raw, nothing, rejected

Item = TypeVar("Item")


class Arg(msgspec.Struct):
    """What a push is of."""

    channel: str = ""
    instId: str = ""
    instType: str = ""


class _Frame(msgspec.Struct):
    data: Sequence[msgspec.Raw] | None = None
    arg: Arg | None = None
    code: str = "0"
    msg: str = ""


_frame = msgspec.json.Decoder(_Frame).decode


def read_data(
    frame: RawFrame, decode: Callable[[msgspec.Raw], Item], read: Callable[[Arg, Item], Iterable[Row]]
) -> list[Row]:
    """Return the rows of every item of `data`; a refusal (code not 0, also with HTTP 200) carries none."""
    try:
        found = _frame(frame.payload)
    except BAD as error:
        return rejected(error)
    if found.code != "0":
        return nothing(f"error reply {found.code}: {found.msg}")
    if found.data is None:
        return rejected(ValueError("not as documented: a frame without data"))
    arg = found.arg or Arg()
    return each_raw(found.data, decode, lambda item: read(arg, item))
