"""What Aster keeps of the past, and how it is asked: settled funding and candles.

Facts: exchanges/aster.md; of candles the page `Kline/Candlestick Data` of its API v3, which is Binance's.
"""

from collectors import topics
from collectors.history.endpoint import CYCLE_MS, Asked, Endpoint, History, by_symbol
from collectors.venues.aster import rest
from collectors.venues.aster.stream import Hosts
from collectors.venues.venue import Listed

MOST = 1000
CANDLES = 499
"""At weight 2: the cheapest a row."""
LENGTHS = {name: name for name in ("1m", "5m", "15m", "30m", "1h", "4h", "1d")}


def _perpetual(item: Listed) -> Asked | None:
    return by_symbol(item) if item.funding else None


def history(hosts: Hosts | None = None) -> History:
    """Return Aster's history at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    settled = Endpoint(
        "funding", rest.SETTLED, topics.FUNDING, f"{hosts.rest}{rest.API}/{rest.SETTLED}", rest.GROUP, _perpetual,
        "startTime", "endTime", MOST, "weight", "oldest_first", time="fundingTime", overlap_ms=CYCLE_MS,
    )  # fmt: skip
    candles = Endpoint(
        "klines", "klines", topics.KLINE, f"{hosts.rest}{rest.API}/klines", rest.GROUP, by_symbol, "startTime", "endTime",
        CANDLES, "weight", "bars", cost=2, lengths=LENGTHS, length_param="interval",
    )  # fmt: skip
    return History((settled, candles), {})
