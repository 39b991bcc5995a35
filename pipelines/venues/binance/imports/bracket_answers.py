"""Files with Binance's answer to /fapi/v1/leverageBracket or /dapi/v2/leverageBracket, as raw frames of raw.reference."""

import hashlib
import time
from pathlib import Path
from typing import NamedTuple

from collectors.envelope import ALL_SYMBOLS, RawFrame
from collectors.topics import MAX_FRAME_BYTES, REFERENCE
from pipelines.errors import NotADumpError
from pipelines.facts import LeverageTier
from pipelines.venues.binance.brackets import brackets

COIN_MARGINED = (b'"qtyFloor"', b'"qtylFloor"', b'"qtyCap"')


class Answer(NamedTuple):
    """A file of one answer; `payload` as it lies there."""

    path: Path
    payload: bytes
    contracts: int
    symbol: str = ALL_SYMBOLS
    topic: str = REFERENCE

    @property
    def channel(self) -> str:
        """The channel its frame gets, by what it holds."""
        return f"{'cm' if any(name in self.payload for name in COIN_MARGINED) else 'um'}_leverageBracket"

    def parts(self) -> tuple[list[bytes], str]:
        """Return the frame's bytes and the file's SHA-256."""
        return [self.payload], hashlib.sha256(self.payload).hexdigest()


def answer_in(path: Path) -> Answer:
    """Return the answer in a file. Raises NotADumpError where anything in it is not as Binance documents it."""
    try:
        payload = path.read_bytes()
    except OSError as error:
        raise NotADumpError(f"{path}: {error.strerror}") from None
    if len(payload) > MAX_FRAME_BYTES // 2:
        raise NotADumpError(f"{path}: {len(payload):,} bytes are no answer of leverageBracket")
    frame = RawFrame("binance", "um_leverageBracket", ALL_SYMBOLS, "rest", time.time_ns(), "", "", "import", 0, payload)
    rows = brackets(frame, {})
    if other := [row for row in rows if not isinstance(row, LeverageTier)]:
        raise NotADumpError(f"{path}: no answer of leverageBracket: {getattr(other[0], 'reason', other[0])}")
    return Answer(path, payload, len({row.symbol for row in rows if isinstance(row, LeverageTier)}))
