"""Messages that a venue packs before it sends them."""

import zlib

from collectors.topics import MAX_FRAME_BYTES

GZIP = 31
"""What zlib calls a window of 32 KiB with gzip's head."""


def gunzip(payload: bytes) -> bytes:
    """Return the message; the bytes as they came where they are no whole gzip, or longer than a frame may be."""
    unpacking = zlib.decompressobj(GZIP)
    try:
        message = unpacking.decompress(payload, MAX_FRAME_BYTES)
    except zlib.error:
        return payload
    return message if unpacking.eof and not unpacking.unused_data else payload
