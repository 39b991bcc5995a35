"""What a payload holds, where it can be read: a collector names what it knows, and keeps what it does not."""

from typing import TypeVar

import msgspec

T = TypeVar("T")


def decoded(decoder: msgspec.json.Decoder[T], payload: bytes) -> T | None:
    """Return what the decoder reads, None where the payload is no JSON or of other types."""
    try:
        return decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
