"""What Crypto.com keeps of the past, and how it is asked: thirty days of settled funding. Facts: exchanges/crypto-com.md."""

from collectors import topics
from collectors.history.endpoint import Asked, Endpoint, History
from collectors.venues.cryptocom import rest
from collectors.venues.cryptocom.stream import Hosts
from collectors.venues.venue import Listed


def _perpetual(item: Listed) -> Asked | None:
    return Asked(item.symbol, (("instrument_name", item.symbol),)) if item.funding else None


def history(hosts: Hosts | None = None) -> History:
    """Return Crypto.com's history at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    settled = Endpoint(
        "funding", rest.RATES, topics.FUNDING, f"{hosts.rest}{rest.API}/{rest.RATES}", rest.GROUP, _perpetual, "start_ts",
        "end_ts", rest.MOST, "get-valuations", "newest_first", params=rest.OF_RATES, times=rest.times, limit_param="",
        keeps_days=30,
    )  # fmt: skip
    return History((settled,), {})
