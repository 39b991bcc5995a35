"""What HTX keeps of the past, and how it is asked: two years of candles, by bounds in seconds.

Facts: the page `[General] Get KLine Data`, and its like of coin-margined swaps. Where a bar of four hours or a day begins is
not said, so none are asked for. Pages of settled funding are turned by number; how many liquidations an answer has is not
documented.
"""

from collections.abc import Sequence

import msgspec

from collectors import topics
from collectors.history.endpoint import Asked, Endpoint, History
from collectors.venues.htx.stream import Hosts
from collectors.venues.venue import Listed

BARS, YEARS_DAYS = 1900, 730
"""Fewer than the 2,000 that an answer may have."""
LENGTHS = {"1m": "1min", "5m": "5min", "15m": "15min", "30m": "30min", "1h": "60min"}


class _Bar(msgspec.Struct):
    id: int


class _Bars(msgspec.Struct):
    data: list[_Bar]


_bars = msgspec.json.Decoder(_Bars)


def history(hosts: Hosts | None = None) -> History:
    """Return HTX' history at `hosts`, by default those of the environment."""
    host = (hosts or Hosts()).rest
    return History((_candles("linear", f"{host}/linear-swap-ex"), _candles("swap", f"{host}/swap-ex")), {})


def _candles(market: str, base: str) -> Endpoint:
    return Endpoint(
        "klines", "kline", topics.KLINE, f"{base}/market/history/kline", market, _named, "from", "to", BARS, "requests",
        "bars", times=_times, clock="s",
        sparse=True, lengths=LENGTHS, length_param="period", limit_param="", keeps_days=YEARS_DAYS,
    )  # fmt: skip


def _named(item: Listed) -> Asked:
    return Asked(item.symbol, (("contract_code", item.symbol),))


def _times(body: bytes) -> Sequence[int]:
    return [each.id * 1000 for each in _bars.decode(body).data]
