"""How an answer of frames is packed: gzip as the archive always did, zstd for those who say that they read it."""

import gzip
from typing import Literal

import pyarrow as pa

Coding = Literal["gzip", "zstd"]


def coding_of(accepted: str) -> Coding:
    """Return the coding for an Accept-Encoding: zstd where it is named and not refused (q=0)."""
    for each in accepted.lower().split(","):
        name, _, weight = (part.strip() for part in each.partition(";"))
        if name == "zstd" and weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            return "zstd"
    return "gzip"


def packed(body: bytes, coding: Coding) -> bytes:
    """Return a body in a coding; the same body gives the same bytes."""
    if coding == "gzip":
        return gzip.compress(body, 5, mtime=0)
    found: bytes = pa.Codec("zstd", 3).compress(body, asbytes=True)
    return found
