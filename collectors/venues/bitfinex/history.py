"""What Bitfinex keeps of the past, and how it is asked: all liquidations, years back, and candles.

Facts: exchanges/bitfinex.md §2; of candles the page `rest-public-candles`. The symbol and the length are in the address.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from collectors import topics
from collectors.envelope import ALL_SYMBOLS
from collectors.history.endpoint import Asked, Endpoint, History
from collectors.venues.bitfinex import rest
from collectors.venues.bitfinex.stream import Hosts
from collectors.venues.venue import Rate

TIME = 2
MOST, BARS = 500, 5000
LENGTHS = {"1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1h", "1d": "1D"}

_rows = msgspec.json.Decoder(list[list[list[Any]]])


def history(hosts: Hosts | None = None) -> History:
    """Return Bitfinex's history at `hosts`, by default those of the environment."""
    base = f"{(hosts or Hosts()).rest}/v2"
    liquidations = Endpoint(
        "liquidations", "liquidations_hist", topics.LIQUIDATION, f"{base}/liquidations/hist", rest.GROUP,
        lambda _: Asked(ALL_SYMBOLS, ()), "start", "end", MOST, "liquidations", "newest_first", params=(("sort", "-1"),),
        overlap_ms=1, times=_times,
    )  # fmt: skip
    candles = Endpoint(
        "klines", "candles", topics.KLINE, f"{base}/candles/trade:{{length}}:{{}}/hist", rest.GROUP,
        lambda item: Asked(item.symbol, ()), "start", "end", BARS, "candles", "bars", sparse=True, lengths=LENGTHS,
    )  # fmt: skip
    return History((liquidations, candles), {"candles": Rate(30, 60.0)})


def _times(body: bytes) -> Sequence[int]:
    return [int(row[TIME]) for several in _rows.decode(body) for row in several]
