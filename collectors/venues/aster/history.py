"""What Aster keeps of the past, and how it is asked: settled funding. Facts: exchanges/aster.md."""

from collectors import topics
from collectors.history.endpoint import CYCLE_MS, Asked, Endpoint, History, by_symbol
from collectors.venues.aster import rest
from collectors.venues.aster.stream import Hosts
from collectors.venues.venue import Listed

MOST = 1000


def _perpetual(item: Listed) -> Asked | None:
    return by_symbol(item) if item.funding else None


def history(hosts: Hosts | None = None) -> History:
    """Return Aster's history at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    settled = Endpoint(
        "funding", rest.SETTLED, topics.FUNDING, f"{hosts.rest}{rest.API}/{rest.SETTLED}", rest.GROUP, _perpetual,
        "startTime", "endTime", MOST, "weight", "oldest_first", time="fundingTime", overlap_ms=CYCLE_MS,
    )  # fmt: skip
    return History((settled,), {})
