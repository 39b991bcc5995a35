"""What Bybit keeps of the past. Facts: exchanges/bybit.md §3 to §6, §9.

Everything comes newest first. Funding history refuses a start without an end, so both are always sent. Open interest and
ratios also page by cursor; asked for in pieces that fit one answer they need none.
"""

from collectors import topics
from collectors.history.endpoint import CYCLE_MS, Asked, Endpoint, History, by_symbol
from collectors.venues.bybit.stream import Hosts
from collectors.venues.venue import Listed

CATEGORIES = ("linear", "inverse")
PERIODS = {"5m": "5min", "15m": "15min", "30m": "30min", "1h": "1h", "4h": "4h", "1d": "1d"}
INTERVALS = {"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "4h": "240", "1d": "D"}
ROWS = ("result", "list")
REQUESTS = "requests"


def history(hosts: Hosts | None = None) -> History:
    """Return what Bybit keeps, at `hosts`, by default those of the environment."""
    market = f"{(hosts or Hosts()).rest}/v5/market"
    return History(tuple(each for category in CATEGORIES for each in _of(category, market)), {})


def _of(category: str, market: str) -> tuple[Endpoint, ...]:
    params = (("category", category),)
    return (
        Endpoint(
            "funding", "funding_history", topics.FUNDING, f"{market}/funding/history", category, _paying, "startTime",
            "endTime", 200, REQUESTS, "newest_first", ROWS, "fundingRateTimestamp", params,
            overlap_ms=CYCLE_MS,
        ),
        Endpoint(
            "open-interest", "open-interest", topics.OPEN_INTEREST, f"{market}/open-interest", category, by_symbol,
            "startTime", "endTime", 200, REQUESTS, "bars", ROWS, "timestamp", params, lengths=PERIODS,
            length_param="intervalTime",
        ),
        Endpoint(
            "ratios", "account-ratio", topics.RATIO, f"{market}/account-ratio", category, by_symbol,
            "startTime", "endTime", 500, REQUESTS, "bars", ROWS, "timestamp", params, lengths=PERIODS, length_param="period",
        ),
        Endpoint(
            "klines", "kline", topics.KLINE, f"{market}/kline", category, by_symbol, "start", "end", 1000, REQUESTS, "bars",
            ROWS, 0, params, lengths=INTERVALS, length_param="interval",
        ),
    )  # fmt: skip


def _paying(item: Listed) -> Asked | None:
    return by_symbol(item) if item.funding else None
