"""What an OKX frame holds: a push with `arg` and `data`, or an answer with `code` and `data`; the items are the same."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Row
from pipelines.venues.okx.symbols import contract_of
from pipelines.venues.wire import BAD, each_raw, nothing, rejected

DERIVATIVES = ("SWAP", "FUTURES")
Item = TypeVar("Item")


class Arg(msgspec.Struct):
    """What a push is of."""

    channel: str = ""
    instId: str = ""
    instType: str = ""


class _Code(msgspec.Struct):
    code: str | int = "0"
    msg: Any = ""


class _Frame(msgspec.Struct):
    data: Sequence[msgspec.Raw] | None = None
    arg: Arg | None = None
    code: str = "0"


_frame = msgspec.json.Decoder(_Frame).decode
_code = msgspec.json.Decoder(_Code).decode


def refused(payload: bytes) -> list[Row]:
    """Return why an answer is a refusal (code not 0, also with HTTP 200), whatever its data; empty where it is none."""
    try:
        found = _code(payload)
    except BAD:
        return []
    return [] if found.code in ("0", 0) else nothing(f"error reply {found.code}: {found.msg or ''}")


def not_kept(what: str, kind: str, symbol: str) -> str:
    """Return why nothing is kept of an instrument: its type, or where none is told that its form is no contract's."""
    if kind in DERIVATIVES or (not kind and contract_of(symbol)):
        return ""
    return f"{what} of {kind or symbol}: not a derivative kept here"


def read_data(
    frame: RawFrame, decode: Callable[[msgspec.Raw], Item], read: Callable[[Arg, Item], Iterable[Row]]
) -> list[Row]:
    """Return the rows of every item of `data`; a refusal carries none."""
    try:
        found = _frame(frame.payload)
    except BAD as error:
        return refused(frame.payload) or rejected(error)
    if found.code != "0":
        return refused(frame.payload) or rejected(ValueError(f"the answer has code {found.code!r}"))
    if found.data is None:
        return rejected(ValueError("not as documented: a frame without data"))
    arg = found.arg or Arg()
    return each_raw(found.data, decode, lambda item: read(arg, item))
