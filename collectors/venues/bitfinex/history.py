"""What Bitfinex keeps of the past, and how it is asked: all liquidations, years back. Facts: exchanges/bitfinex.md §2."""

from collections.abc import Sequence
from typing import Any

import msgspec

from collectors import topics
from collectors.envelope import ALL_SYMBOLS
from collectors.history.endpoint import Asked, Endpoint, History
from collectors.venues.bitfinex import rest
from collectors.venues.bitfinex.stream import Hosts

TIME = 2
MOST = 500

_rows = msgspec.json.Decoder(list[list[list[Any]]])


def history(hosts: Hosts | None = None) -> History:
    """Return Bitfinex's history at `hosts`, by default those of the environment."""
    liquidations = Endpoint(
        "liquidations", "liquidations_hist", topics.LIQUIDATION, f"{(hosts or Hosts()).rest}/v2/liquidations/hist", rest.GROUP,
        lambda _: Asked(ALL_SYMBOLS, ()), "start", "end", MOST, "liquidations", "newest_first", params=(("sort", "-1"),),
        overlap_ms=1, times=_times,
    )  # fmt: skip
    return History((liquidations,), {})


def _times(body: bytes) -> Sequence[int]:
    return [int(row[TIME]) for several in _rows.decode(body) for row in several]
