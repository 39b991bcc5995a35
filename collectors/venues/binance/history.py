"""What Binance keeps of the past. Facts: exchanges/binance.md §3 to §6, §9.

COIN-M differs: klines give the newest rows before the end where USD-M starts at the start, and at most 200 days a request;
open interest and ratios go by pair. Bars are asked for in pieces that fit one answer, so neither matters. Open interest of
COIN-M deliveries goes by the kind of quarter, which their symbol does not tell: it is not asked for.
"""

from collectors import topics
from collectors.history.endpoint import CYCLE_MS, Asked, Endpoint, History, by_symbol
from collectors.venues.binance.stream import Hosts
from collectors.venues.venue import Listed

PERIODS = {length: length for length in ("5m", "15m", "30m", "1h", "4h", "1d")}
INTERVALS = {"1m": "1m", **PERIODS}
KLINE_ROWS = 499  # weight 2: the cheapest a row (§5)
RATIOS = ("globalLongShortAccountRatio", "topLongShortAccountRatio", "topLongShortPositionRatio")
MONTH_DAYS = 30


def history(hosts: Hosts | None = None) -> History:
    """Return what Binance keeps, at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    um, cm = f"{hosts.um_rest}/fapi/v1", f"{hosts.cm_rest}/dapi/v1"
    endpoints = (
        _funding("um", um, "funding"),
        _funding("cm", cm, "weight"),
        _klines("um", um),
        _klines("cm", cm)._replace(longest_days=199),
        *(_data("um", hosts.um_rest, name) for name in ("openInterestHist", *RATIOS, "takerlongshortRatio")),
        *(
            _data("cm", hosts.cm_rest, name)._replace(names=_perpetual)
            for name in ("openInterestHist", "takerBuySellVol")
        ),
        *(_data("cm", hosts.cm_rest, name)._replace(names=_pair) for name in RATIOS),
    )
    return History(endpoints, {})


def _funding(group: str, base: str, budget: str) -> Endpoint:
    return Endpoint(
        "funding", f"{group}_fundingRate", topics.FUNDING, f"{base}/fundingRate", group, _paying, "startTime", "endTime",
        1000, budget, "oldest_first", time="fundingTime", overlap_ms=CYCLE_MS,
    )  # fmt: skip


def _klines(group: str, base: str) -> Endpoint:
    return Endpoint(
        "klines", f"{group}_klines", topics.KLINE, f"{base}/klines", group, by_symbol, "startTime", "endTime",
        KLINE_ROWS, "weight", "bars", cost=2, lengths=INTERVALS, length_param="interval",
    )  # fmt: skip


def _data(group: str, host: str, name: str) -> Endpoint:
    interest = name == "openInterestHist"
    return Endpoint(
        "open-interest" if interest else "ratios", f"{group}_{name}", topics.OPEN_INTEREST if interest else topics.RATIO,
        f"{host}/futures/data/{name}", group, by_symbol, "startTime", "endTime", 500, f"{group} data", "bars", time="timestamp",
        lengths=PERIODS, length_param="period", keeps_days=MONTH_DAYS,
    )  # fmt: skip


def _paying(item: Listed) -> Asked | None:
    return by_symbol(item) if item.funding else None


def _perpetual(item: Listed) -> Asked | None:
    pair, _, kind = item.symbol.partition("_")
    return Asked(item.symbol, (("pair", pair), ("contractType", "PERPETUAL"))) if kind == "PERP" else None


def _pair(item: Listed) -> Asked | None:
    pair, _, kind = item.symbol.partition("_")
    return Asked(pair, (("pair", pair),)) if kind == "PERP" else None
