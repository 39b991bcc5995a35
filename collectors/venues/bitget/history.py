"""What Bitget keeps of the past, and how it is asked: candles, which v2 alone has.

Facts: its page `Get Historical Candlestick`. Pages of settled funding, and of liquidations, are turned by a cursor, not by
time.
"""

from collectors import topics
from collectors.history.endpoint import Endpoint, History, by_symbol
from collectors.venues.bitget import rest
from collectors.venues.bitget.stream import Hosts
from collectors.venues.venue import Rate

BARS, LONGEST_DAYS = 200, 89
LENGTHS = {"1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1H", "4h": "4H", "1d": "1Dutc"}
CANDLES = "history-candles"


def history(hosts: Hosts | None = None) -> History:
    """Return Bitget's history at `hosts`, by default those of the environment."""
    url = f"{(hosts or Hosts()).rest}{rest.V2}/{CANDLES}"
    return History(tuple(_candles(category, url) for category in rest.OF_V2), {CANDLES: Rate(20, 1.0)})


def _candles(category: str, url: str) -> Endpoint:
    return Endpoint(
        "klines", CANDLES, topics.KLINE, url, category, by_symbol, "startTime", "endTime", BARS, CANDLES, "bars", ("data",), 0,
        params=(("productType", category),),
        sparse=True, lengths=LENGTHS, length_param="granularity", longest_days=LONGEST_DAYS,
    )  # fmt: skip
