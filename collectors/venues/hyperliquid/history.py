"""What Hyperliquid keeps of the past, and how it is asked: settled funding, and the last 5,000 candles of each length.

Both are asked by POST. Facts: exchanges/hyperliquid.md §3; of candles the venue's page `candle snapshot`.
"""

from collectors import topics
from collectors.history.endpoint import Asked, Endpoint, History
from collectors.venues.hyperliquid import rest
from collectors.venues.hyperliquid.venue import Hosts
from collectors.venues.venue import Listed

RATES, BARS = 500, 1000
KEPT = 5000
LENGTHS = {name: name for name in ("1m", "5m", "15m", "30m", "1h", "4h", "1d")}
FUNDING = '{"type":"fundingHistory","coin":"{}","startTime":{since},"endTime":{until}}'
CANDLES = '{"type":"candleSnapshot","req":{"coin":"{}","interval":"{length}","startTime":{since},"endTime":{until}}}'


def history(hosts: Hosts | None = None) -> History:
    """Return Hyperliquid's history at `hosts`, by default those of the environment."""
    url = f"{(hosts or Hosts()).rest}/info"
    settled = Endpoint(
        "funding", "fundingHistory", topics.FUNDING, url, rest.GROUP, _coin, "", "", RATES, "weight", "oldest_first",
        time="time", cost=rest.COST + RATES // 20, body=FUNDING,
    )  # fmt: skip
    candles = Endpoint(
        "klines", "candleSnapshot", topics.KLINE, url, rest.GROUP, _coin, "", "", BARS, "weight", "bars", time="t",
        cost=rest.COST + BARS // 60, lengths=LENGTHS, keeps_bars=KEPT, body=CANDLES,
    )  # fmt: skip
    return History((settled, candles), {})


def _coin(item: Listed) -> Asked:
    return Asked(item.symbol, ())
