"""What tests of the bounds share: the three ways to read frames, and symbols that are none."""

from pipelines.reading.blocks import parse_batch
from pipelines.reading.latest import parse_latest
from pipelines.reading.parse import parse_frames

READERS = {"one by one": parse_frames, "many at once": parse_batch, "the last ones": parse_latest}
BAD_SYMBOLS = (
    "",
    " ",
    "BTC\x00USDT",
    "BTC\nUSDT",
    "\x1b[31mBTCUSDT",
    "B" * 5000,
    "BTC\u202eUSDT",
    " BTCUSDT",
    "BTC\u2028USDT",
)
