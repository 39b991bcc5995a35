"""What Crypto.com keeps of the past, and how it is asked: thirty days of settled funding, and candles.

Facts: exchanges/crypto-com.md; of candles its page `public/get-candlestick`.
"""

from collectors import topics
from collectors.history.endpoint import Asked, Endpoint, History
from collectors.venues.cryptocom import rest
from collectors.venues.cryptocom.stream import Hosts
from collectors.venues.venue import Listed, Rate

CANDLES, BARS = "get-candlestick", 25
"""The usual number; how many an answer may have is not documented."""
LENGTHS = {"1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1h", "4h": "4h", "1d": "1D"}


def _named(item: Listed) -> Asked:
    return Asked(item.symbol, (("instrument_name", item.symbol),))


def _perpetual(item: Listed) -> Asked | None:
    return _named(item) if item.funding else None


def history(hosts: Hosts | None = None) -> History:
    """Return Crypto.com's history at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    settled = Endpoint(
        "funding", rest.RATES, topics.FUNDING, f"{hosts.rest}{rest.API}/{rest.RATES}", rest.GROUP, _perpetual, "start_ts",
        "end_ts", rest.MOST, "get-valuations", "newest_first", params=rest.OF_RATES, times=rest.times, limit_param="",
        keeps_days=30,
    )  # fmt: skip
    candles = Endpoint(
        "klines", CANDLES, topics.KLINE, f"{hosts.rest}{rest.API}/{CANDLES}", rest.GROUP, _named, "start_ts", "end_ts", BARS,
        CANDLES, "bars", ("result", "data"), "t",
        sparse=True, is_documented=False, lengths=LENGTHS, length_param="timeframe", limit_param="count",
    )  # fmt: skip
    return History((settled, candles), {CANDLES: Rate(100, 1.0)})
