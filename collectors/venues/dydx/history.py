"""What dYdX keeps of the past, and how it is asked: trades, settled funding and candles, by a time as text.

Facts: exchanges/dydx-v4.md §2, §3; of candles the indexer's page `get_candles`. Trades and rates take an end alone. The trades
of a market are all asked for, to find the liquidations among them.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from collectors import topics
from collectors.history.endpoint import Asked, Endpoint, History
from collectors.venues.dydx import rest
from collectors.venues.dydx.stream import Hosts
from collectors.venues.venue import Listed

MOST = 1000
LENGTHS = {"1m": "1MIN", "5m": "5MINS", "15m": "15MINS", "30m": "30MINS", "1h": "1HOUR", "4h": "4HOURS", "1d": "1DAY"}


class _Trade(msgspec.Struct):
    createdAt: datetime  # noqa: N815


class _Trades(msgspec.Struct):
    trades: list[_Trade]


class _Rate(msgspec.Struct):
    effectiveAt: datetime  # noqa: N815


class _Rates(msgspec.Struct):
    historicalFunding: list[_Rate]  # noqa: N815


class _Candle(msgspec.Struct):
    startedAt: datetime  # noqa: N815


class _Candles(msgspec.Struct):
    candles: list[_Candle]


_trades = msgspec.json.Decoder(_Trades)
_rates = msgspec.json.Decoder(_Rates)
_candles = msgspec.json.Decoder(_Candles)


def history(hosts: Hosts | None = None) -> History:
    """Return dYdX's history at `hosts`, by default those of the environment."""
    base = f"{(hosts or Hosts()).rest}/v4"
    trades = Endpoint(
        "liquidations", "trades", topics.LIQUIDATION, f"{base}/trades/perpetualMarket/{{}}", rest.GROUP, _market, "",
        "createdBeforeOrAt", MOST, "requests", "newest_first", times=_traded, clock="iso", overlap_ms=1, is_documented=False,
    )  # fmt: skip
    settled = Endpoint(
        "funding", "historicalFunding", topics.FUNDING, f"{base}/historicalFunding/{{}}", rest.GROUP, _market, "",
        "effectiveBeforeOrAt", MOST, "requests", "newest_first", times=_settled, clock="iso", is_documented=False,
    )  # fmt: skip
    candles = Endpoint(
        "klines", "candles", topics.KLINE, f"{base}/candles/perpetualMarkets/{{}}", rest.GROUP, _market, "fromISO", "toISO",
        MOST, "requests", "bars", times=_started, clock="iso",
        sparse=True, is_documented=False, lengths=LENGTHS, length_param="resolution",
    )  # fmt: skip
    return History((trades, settled, candles), {})


def _market(item: Listed) -> Asked:
    return Asked(item.symbol, ())


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _traded(body: bytes) -> Sequence[int]:
    return [_ms(each.createdAt) for each in _trades.decode(body).trades]


def _settled(body: bytes) -> Sequence[int]:
    return [_ms(each.effectiveAt) for each in _rates.decode(body).historicalFunding]


def _started(body: bytes) -> Sequence[int]:
    return [_ms(each.startedAt) for each in _candles.decode(body).candles]
