"""What Gate keeps of the past, and how it is asked: settled funding, candles and statistics, in seconds.

Facts: exchanges/gateio-futures.md §2, §3; of candles the page `Futures market K-line chart`. Statistics take a start alone, and
have open interest and ratios in one answer. Liquidations of the past would be reports beside those that were pushed, in whole
seconds, and fill no gap.
"""

from collections.abc import Sequence

import msgspec

from collectors import topics
from collectors.history.endpoint import CYCLE_MS, Asked, Endpoint, History, What
from collectors.venues.gateio.rest import SETTLES
from collectors.venues.gateio.stream import Hosts
from collectors.venues.venue import Listed, Rate

MOST, BARS, STATISTICS = 1000, 1900, 30
"""Rows of an answer: of candles fewer than the 2,000 that it may have, of statistics its usual number."""
LENGTHS = {name: name for name in ("1m", "5m", "15m", "30m", "1h", "4h", "1d")}


STATES: tuple[What, ...] = ("open-interest", "ratios")


class _Settled(msgspec.Struct):
    t: int


class _Stated(msgspec.Struct):
    time: int


_stated_rows = msgspec.json.Decoder(list[_Stated])
_settled = msgspec.json.Decoder(list[_Settled])


def history(hosts: Hosts | None = None) -> History:
    """Return Gate's history at `hosts`, by default those of the environment."""
    base = f"{(hosts or Hosts()).rest}/api/v4/futures"
    return History(
        tuple(each for settle in SETTLES for each in _of(settle, f"{base}/{settle}")), {"candlesticks": Rate(200, 10.0)}
    )


def _of(settle: str, base: str) -> tuple[Endpoint, ...]:
    return (
        _funding(settle, f"{base}/funding_rate"),
        Endpoint(
            "klines", "candlesticks", topics.KLINE, f"{base}/candlesticks", settle, _named, "from", "to", BARS, "candlesticks",
            "bars", times=_times, clock="s", sparse=True, lengths=LENGTHS, length_param="interval", limit_param="",
        ),
        *(_statistics(what, settle, f"{base}/contract_stats") for what in STATES),
    )  # fmt: skip


def _statistics(what: What, settle: str, url: str) -> Endpoint:
    return Endpoint(
        what, "contract_stats", topics.RATIO, url, settle, _perpetual, "from", "", STATISTICS, "contract_stats", "bars",
        times=_stated, clock="s", lengths={"5m": "5m"}, is_documented=False, length_param="interval",
    )  # fmt: skip


def _funding(settle: str, url: str) -> Endpoint:
    return Endpoint(
        "funding", "funding_rate", topics.FUNDING, url, settle, _perpetual, "from", "to", MOST, "funding_rate", "newest_first",
        overlap_ms=CYCLE_MS, times=_times, clock="s",
    )  # fmt: skip


def _perpetual(item: Listed) -> Asked | None:
    return _named(item) if item.funding else None


def _named(item: Listed) -> Asked:
    return Asked(item.symbol, (("contract", item.symbol),))


def _times(body: bytes) -> Sequence[int]:
    return [each.t * 1000 for each in _settled.decode(body)]


def _stated(body: bytes) -> Sequence[int]:
    return [each.time * 1000 for each in _stated_rows.decode(body)]
