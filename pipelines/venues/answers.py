"""What a REST answer is, by the fields of its first item, where no record says its channel.

Candles and lists of figures do not tell: they are named as answers, and the reason says that their channel must be given.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pipelines.venues.venue import Answered
from pipelines.venues.wire import BAD

Fields = Sequence[tuple[str, str]]
"""Fields, parted by blanks, and the channel whose items have them all; the first that fits."""

NOT_TOLD = "?an answer that does not say its channel; name it with --channel"
_any = msgspec.json.Decoder().decode


def named(
    payload: bytes, is_answer: Callable[[dict[str, Any]], bool], items: Callable[[dict[str, Any]], Any], fields: Fields
) -> Answered | None:
    """Name the answer of a venue by its first item; None where it is none of the venue's."""
    try:
        answer = _any(payload)
    except BAD:
        return None
    if not isinstance(answer, dict) or not is_answer(answer):
        return None
    listed = items(answer)
    first = listed[0] if isinstance(listed, list) and listed else None
    if not isinstance(first, dict):
        return Answered(NOT_TOLD, "*")
    return Answered(next((channel for names, channel in fields if first.keys() >= set(names.split())), NOT_TOLD), "*")
