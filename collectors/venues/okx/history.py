"""What OKX keeps of the past. Facts: exchanges/okx.md §3 to §6, §9.

Everything comes newest first, `after` and `end` meaning older than, `before` and `begin` newer than. Statistics (rubik) end
1,440 bars ago whatever their length: five days of 5m, two months of 1h. Days are cut at UTC (`1Dutc`), as everywhere here.
"""

from collectors import topics
from collectors.history.endpoint import CYCLE_MS, Asked, Endpoint, History, What
from collectors.venues.okx import rest as polls
from collectors.venues.okx.stream import Hosts
from collectors.venues.venue import Listed, Rate

TYPES = ("SWAP", "FUTURES")
PERIODS = {"5m": "5m", "15m": "15m", "30m": "30m", "1h": "1H", "4h": "4H", "1d": "1Dutc"}
INTERVALS = {"1m": "1m", **PERIODS}
ENTRIES = 1440
CONTRACTS = "1"
FUNDING_DAYS = 90
RATIOS = (
    "long-short-account-ratio-contract",
    "long-short-account-ratio-contract-top-trader",
    "long-short-position-ratio-contract-top-trader",
)
INTEREST, CANDLES = "open-interest-history", "history-candles"


def history(hosts: Hosts | None = None) -> History:
    """Return what OKX keeps, at `hosts`, by default those of the environment. Each endpoint has a limit of its own."""
    rest = (hosts or Hosts()).rest
    endpoints = tuple(each for type_ in TYPES for each in _of(type_, rest))
    return History(endpoints, {INTEREST: Rate(10, 2.0), CANDLES: Rate(20, 2.0)})


def _of(type_: str, rest: str) -> tuple[Endpoint, ...]:
    contracts = f"{rest}/api/v5/rubik/stat/contracts"
    return (
        Endpoint(
            "funding", "funding-rate-history", topics.FUNDING, f"{rest}/api/v5/public/funding-rate-history", type_, _paying,
            "before", "after", 400, "funding-rate-history", "newest_first", ("data",), "fundingTime", keeps_days=FUNDING_DAYS,
            overlap_ms=CYCLE_MS,
        ),
        _liquidations(type_, rest),
        _statistics("open-interest", type_, INTEREST, contracts),
        *(_statistics("ratios", type_, name, contracts) for name in RATIOS),
        _statistics("ratios", type_, "taker-volume-contract", f"{rest}/api/v5/rubik/stat")._replace(
            params=(("unit", CONTRACTS),)
        ),
        Endpoint(
            "klines", "history-candles", topics.KLINE, f"{rest}/api/v5/market/history-candles", type_, _by_id, "before",
            "after", 300, CANDLES, "bars", ("data",), lengths=INTERVALS, length_param="bar",
        ),
    )  # fmt: skip


def _statistics(what: What, type_: str, name: str, base: str) -> Endpoint:
    interest = what == "open-interest"
    return Endpoint(
        what, f"rubik_{name}", topics.OPEN_INTEREST if interest else topics.RATIO,
        f"{base}/{name}", type_, _by_id, "begin", "end", 100, name, "bars", ("data",), lengths=PERIODS,
        length_param="period", keeps_bars=ENTRIES,
    )  # fmt: skip


def _by_id(item: Listed) -> Asked:
    return Asked(item.symbol, (("instId", item.symbol),))


def _liquidations(type_: str, rest: str) -> Endpoint:
    return Endpoint(
        "liquidations", polls.LIQUIDATIONS, topics.LIQUIDATION, f"{rest}/api/v5/public/liquidation-orders", type_, _by_family,
        "before", "after", polls.LIQUIDATIONS_AT_ONCE, polls.LIQUIDATIONS, "newest_first",
        params=(("instType", type_), ("state", "filled")), overlap_ms=1, times=polls.liquidated,
    )  # fmt: skip


def _by_family(item: Listed) -> Asked:
    return Asked(item.family, (("instFamily", item.family),))


def _paying(item: Listed) -> Asked | None:
    return _by_id(item) if item.funding else None
