"""What BitMEX keeps of the past, and how it is asked: settled funding. Of liquidations nothing is kept.

Facts: exchanges/bitmex.md §2, §3; bounds and `reverse` are those of all its tables.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from collectors import topics
from collectors.history.endpoint import Asked, Endpoint, History, by_symbol
from collectors.venues.bitmex import rest
from collectors.venues.bitmex.stream import Hosts
from collectors.venues.venue import Listed

MOST = 500


class _Settled(msgspec.Struct):
    timestamp: datetime


_settled = msgspec.json.Decoder(list[_Settled])


def history(hosts: Hosts | None = None) -> History:
    """Return BitMEX' history at `hosts`, by default those of the environment."""
    settled = Endpoint(
        "funding", "funding", topics.FUNDING, f"{(hosts or Hosts()).rest}/api/v1/funding", rest.GROUP, _perpetual,
        "startTime", "endTime", MOST, "requests", "oldest_first", params=(("reverse", "false"),), times=_times, clock="iso",
        limit_param="count",
    )  # fmt: skip
    return History((settled,), {})


def _perpetual(item: Listed) -> Asked | None:
    return by_symbol(item) if item.funding else None


def _times(body: bytes) -> Sequence[int]:
    return [round(each.timestamp.timestamp() * 1000) for each in _settled.decode(body)]
