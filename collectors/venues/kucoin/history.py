"""What KuCoin keeps of the past, and how it is asked: settled funding and candles.

Facts: exchanges/kucoin-futures.md §3; of candles the page `Get Klines`.
"""

from collectors import topics
from collectors.history.endpoint import CYCLE_MS, Asked, Endpoint, History, by_symbol
from collectors.venues.kucoin import rest
from collectors.venues.kucoin.venue import Hosts
from collectors.venues.venue import Listed

BARS = 500
LENGTHS = {"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "4h": "240", "1d": "1440"}


def _perpetual(item: Listed) -> Asked | None:
    return by_symbol(item) if item.funding else None


def history(hosts: Hosts | None = None) -> History:
    """Return KuCoin's history at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    settled = Endpoint(
        "funding", rest.RATES, topics.FUNDING, f"{hosts.rest}/api/v1/contract/{rest.RATES}", rest.GROUP, _perpetual, "from",
        "to", rest.MOST, "requests", "newest_first", overlap_ms=CYCLE_MS, times=rest.times, limit_param="",
    )  # fmt: skip
    candles = Endpoint(
        "klines", "kline", topics.KLINE, f"{hosts.rest}/api/v1/kline/query", rest.GROUP, by_symbol, "from", "to", BARS,
        "requests", "bars", ("data",), 0,
        sparse=True, is_documented=False, lengths=LENGTHS, length_param="granularity", limit_param="",
    )  # fmt: skip
    return History((settled, candles), {})
