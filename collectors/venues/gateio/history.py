"""What Gate keeps of the past, and how it is asked: settled funding, in seconds. Facts: exchanges/gateio-futures.md §3."""

from collections.abc import Sequence

import msgspec

from collectors import topics
from collectors.history.endpoint import CYCLE_MS, Asked, Endpoint, History
from collectors.venues.gateio.rest import SETTLES
from collectors.venues.gateio.stream import Hosts
from collectors.venues.venue import Listed

MOST = 1000


class _Settled(msgspec.Struct):
    t: int


_settled = msgspec.json.Decoder(list[_Settled])


def history(hosts: Hosts | None = None) -> History:
    """Return Gate's history at `hosts`, by default those of the environment."""
    base = f"{(hosts or Hosts()).rest}/api/v4/futures"
    return History(tuple(_funding(settle, f"{base}/{settle}/funding_rate") for settle in SETTLES), {})


def _funding(settle: str, url: str) -> Endpoint:
    return Endpoint(
        "funding", "funding_rate", topics.FUNDING, url, settle, _perpetual, "from", "to", MOST, "funding_rate", "newest_first",
        overlap_ms=CYCLE_MS, times=_times, clock="s",
    )  # fmt: skip


def _perpetual(item: Listed) -> Asked | None:
    return Asked(item.symbol, (("contract", item.symbol),)) if item.funding else None


def _times(body: bytes) -> Sequence[int]:
    return [each.t * 1000 for each in _settled.decode(body)]
