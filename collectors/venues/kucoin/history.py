"""What KuCoin keeps of the past, and how it is asked: settled funding. Facts: exchanges/kucoin-futures.md §3."""

from collectors import topics
from collectors.history.endpoint import CYCLE_MS, Asked, Endpoint, History, by_symbol
from collectors.venues.kucoin import rest
from collectors.venues.kucoin.venue import Hosts
from collectors.venues.venue import Listed


def _perpetual(item: Listed) -> Asked | None:
    return by_symbol(item) if item.funding else None


def history(hosts: Hosts | None = None) -> History:
    """Return KuCoin's history at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    settled = Endpoint(
        "funding", rest.RATES, topics.FUNDING, f"{hosts.rest}/api/v1/contract/{rest.RATES}", rest.GROUP, _perpetual, "from",
        "to", rest.MOST, "requests", "newest_first", overlap_ms=CYCLE_MS, times=rest.times, limit_param="",
    )  # fmt: skip
    return History((settled,), {})
