"""What a CoinEx answer holds: items in `data`, or a refusal with a code."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Row
from pipelines.venues.wire import BAD, each_raw, nothing, rejected

Item = TypeVar("Item")


class _Answer(msgspec.Struct):
    code: int = 0
    message: str = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")


_answer = msgspec.json.Decoder(_Answer).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def read_items(
    frame: RawFrame, decode: Callable[[msgspec.Raw], Item], read: Callable[[Item], Iterable[Row]]
) -> list[Row]:
    """Return the rows of every item of an answer; a refusal carries none."""
    try:
        answer = _answer(frame.payload)
        if answer.code:
            return nothing(f"error reply {answer.code}: {answer.message}")
        return each_raw(_list(answer.data), decode, read)
    except BAD as error:
        return rejected(error)
