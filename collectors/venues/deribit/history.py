"""What Deribit keeps of the past, and how it is asked. Facts: exchanges/deribit.md §2, §3.

Trades with their flags are on a host of their own, since the launch; of the newest ninety minutes flags may be missing.
"""

from collectors import topics
from collectors.history.endpoint import Asked, Endpoint, History
from collectors.venues.deribit import rest
from collectors.venues.deribit.stream import Hosts
from collectors.venues.venue import Listed


def _named(item: Listed) -> Asked:
    return Asked(item.symbol, (("instrument_name", item.symbol),))


def _perpetual(item: Listed) -> Asked | None:
    return _named(item) if item.funding else None


def history(hosts: Hosts | None = None) -> History:
    """Return Deribit's history at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    return History(
        (
            Endpoint(
                "liquidations", rest.TRADES, topics.LIQUIDATION, f"{hosts.history_rest}{rest.API}/{rest.TRADES}",
                rest.GROUP, _named, "start_timestamp", "end_timestamp", rest.MOST_TRADES, "requests", "newest_first",
                params=(("sorting", "desc"),), times=rest.trade_times, limit_param="count",
            ),
            Endpoint(
                "funding", rest.RATES, topics.FUNDING, f"{hosts.rest}{rest.API}/{rest.RATES}", rest.GROUP, _perpetual,
                "start_timestamp", "end_timestamp", rest.MOST_RATES, "requests", "newest_first", times=rest.rate_times,
                limit_param="",
            ),
        ),
        {},
    )  # fmt: skip
