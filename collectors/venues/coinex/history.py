"""What CoinEx keeps of the past, and how it is asked: liquidations. Facts: exchanges/coinex.md §1.

How far back they go, and from which end a full answer starts, is not documented: a day is asked for, and halves of it until an
answer is not full. Settled funding has ten rows an answer too, too few to see the interval of each.
"""

from collectors import topics
from collectors.history.endpoint import Asked, Endpoint, History
from collectors.venues.coinex import rest
from collectors.venues.coinex.venue import Hosts
from collectors.venues.venue import Listed


def history(hosts: Hosts | None = None) -> History:
    """Return CoinEx' history at `hosts`, by default those of the environment."""
    liquidations = Endpoint(
        "liquidations", "liquidation-history", topics.LIQUIDATION, f"{(hosts or Hosts()).rest}/v2/futures/liquidation-history",
        rest.GROUP, _market, "start_time", "end_time", rest.MOST, "requests", "either", times=rest.times, longest_days=1,
        is_documented=False,
    )  # fmt: skip
    return History((liquidations,), {})


def _market(item: Listed) -> Asked:
    return Asked(item.symbol, (("market", item.symbol),))
