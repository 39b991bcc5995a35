"""What Kraken Futures keeps of the past, and how it is asked: a week of trades, all settled funding, and candles.

Facts: exchanges/kraken-futures.md §2, §3; of candles the page `Market Candles` of its charts API. Trades take an end alone, and
rates no bound: an answer has all of them. All trades of a contract are asked for, to find the liquidations among them.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from collectors import topics
from collectors.history.endpoint import Asked, Endpoint, History, by_symbol
from collectors.venues.kraken import rest
from collectors.venues.kraken.stream import Hosts
from collectors.venues.venue import Listed

TRADES, WEEK_DAYS = 100, 7
ALL = 1_000_000
BARS = 1000
"""Fewer than an answer may have."""
LENGTHS = {name: name for name in ("1m", "5m", "15m", "30m", "1h", "4h", "1d")}


class _Trade(msgspec.Struct):
    time: datetime


class _Trades(msgspec.Struct):
    history: list[_Trade]


class _Rate(msgspec.Struct):
    timestamp: datetime


class _Rates(msgspec.Struct):
    rates: list[_Rate]


_trades = msgspec.json.Decoder(_Trades)
_rates = msgspec.json.Decoder(_Rates)


def history(hosts: Hosts | None = None) -> History:
    """Return Kraken's history at `hosts`, by default those of the environment."""
    host = (hosts or Hosts()).rest
    trades = Endpoint(
        "liquidations", "history", topics.LIQUIDATION, f"{host}/derivatives/api/v3/history", rest.GROUP, by_symbol, "",
        "lastTime", TRADES, "requests", "newest_first", times=_traded, clock="iso", limit_param="", keeps_days=WEEK_DAYS,
        overlap_ms=1,
    )  # fmt: skip
    settled = Endpoint(
        "funding", "historicalfundingrates", topics.FUNDING, f"{host}/derivatives/api/v4/historicalfundingrates", rest.GROUP,
        _perpetual, "", "", ALL, "requests", "newest_first", times=_settled, limit_param="",
    )  # fmt: skip
    candles = Endpoint(
        "klines", "candles", topics.KLINE, f"{host}/api/charts/v1/trade/{{}}/{{length}}", rest.GROUP,
        lambda item: Asked(item.symbol, ()), "from", "to", BARS, "requests", "bars", ("candles",), "time", clock="s",
        sparse=True, is_documented=False, lengths=LENGTHS, limit_param="",
    )  # fmt: skip
    return History((trades, settled, candles), {})


def _perpetual(item: Listed) -> Asked | None:
    return by_symbol(item) if item.funding else None


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _traded(body: bytes) -> Sequence[int]:
    return [_ms(each.time) for each in _trades.decode(body).history]


def _settled(body: bytes) -> Sequence[int]:
    return [_ms(each.timestamp) for each in _rates.decode(body).rates]
