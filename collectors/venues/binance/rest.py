"""Binance by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/binance.md §3 to §9.

Weight is one pool for both hosts (§9). `/futures/data/` counts requests on each host by itself, funding rates and
intervals in a bucket of their own; neither has weight. A ratio's answer holds the bars of `RATIO_BARS` periods, so a round
every half hour, at 650 x 4 requests, misses none even where one round fails. Klines below 100 rows weigh 1 (§5); an
answer holds the bars of two rounds and the one that runs, as a request that fails is not made again before the next round.
"""

import re
from collections.abc import Iterator, Mapping

import msgspec

from collectors import topics
from collectors.venues.answers import excerpt, retry_after_s
from collectors.venues.venue import Answer, Listed, Page, Poll, Rate, Refusal, perpetual, symbol

MINUTE_S = 60.0
HOUR_S = 60 * MINUTE_S
BUDGETS = {
    "weight": Rate(2400, MINUTE_S),
    "funding": Rate(500, 5 * MINUTE_S),
    "um data": Rate(1000, 5 * MINUTE_S),
    "cm data": Rate(1000, 5 * MINUTE_S),
}
KLINE_EVERY_S = 5 * MINUTE_S
KLINE_BARS = 12
RATIO_EVERY_S = 30 * MINUTE_S
RATIO_BARS = 13
RATIOS = {
    "globalLongShortAccountRatio": "long/short accounts",
    "topLongShortAccountRatio": "long/short accounts, top traders",
    "topLongShortPositionRatio": "long/short positions, top traders",
}
RATIO_CHANNELS = (
    *(f"um_{name}@5m" for name in (*RATIOS, "takerlongshortRatio")),
    *(f"cm_{name}@5m" for name in (*RATIOS, "takerBuySellVol")),
)
BANNED_UNTIL = re.compile(rb"banned until (\d{13})")


class _Symbol(msgspec.Struct):
    symbol: str
    pair: str = ""
    status: str = ""
    contractStatus: str = ""  # noqa: N815
    contractType: str = ""  # noqa: N815


class _ExchangeInfo(msgspec.Struct):
    symbols: list[_Symbol]


_exchange_info = msgspec.json.Decoder(_ExchangeInfo)


def page(body: bytes) -> Page:
    """Return what an exchangeInfo answer lists as trading."""
    symbols = _exchange_info.decode(body).symbols
    trading = (s for s in symbols if "TRADING" in (s.status, s.contractStatus))
    return Page(tuple(Listed(s.symbol, s.pair, "PERPETUAL" in s.contractType) for s in trading))


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data; 429, 418 and some 503 say how long to stop, a firewall's 403 does not."""
    if answer.status == 200:
        return None
    reason = f"HTTP {answer.status}: {excerpt(answer.body)}"
    if answer.status == 418:
        until = BANNED_UNTIL.search(answer.body)
        wait = int(until[1]) / 1000 - answer.received_s if until else 120.0
        return Refusal(reason, retry_after_s(answer, max(wait, 1.0)))
    stops = {429: 60.0, 403: 300.0, 451: 3600.0}
    asked = answer.status in stops or answer.status >= 500
    return Refusal(reason, retry_after_s(answer, stops.get(answer.status, 0.0)) if asked else 0.0)


def used(headers: Mapping[str, str]) -> tuple[str, int] | None:
    """Return the weight that was used in this minute."""
    weight = headers.get("x-mbx-used-weight-1m", "")
    return ("weight", int(weight)) if weight.isdecimal() else None


def polls(um: str, cm: str) -> tuple[Poll, ...]:
    """Return all polls of the hosts `um` and `cm`."""
    return (*_state("um", f"{um}/fapi/v1"), *_state("cm", f"{cm}/dapi/v1"), *_settled(um, cm), *_ratios(um, cm))


def _state(market: str, base: str) -> Iterator[Poll]:
    yield Poll(
        f"{market}_exchangeInfo", "instruments", topics.REFERENCE, f"{base}/exchangeInfo", 10 * MINUTE_S,
        budget="weight", group=market, lists=True,
    )  # fmt: skip
    yield Poll(
        f"{market}_openInterest", "open interest", topics.OPEN_INTEREST, f"{base}/openInterest", MINUTE_S,
        budget="weight", group=market, param="symbol", of=symbol,
    )  # fmt: skip
    yield Poll(
        f"{market}_fundingInfo", "funding intervals", topics.FUNDING, f"{base}/fundingInfo", 10 * MINUTE_S,
        budget="funding",
    )  # fmt: skip
    yield Poll(
        f"{market}_klines@1m", "1-minute klines", topics.KLINE, f"{base}/klines", KLINE_EVERY_S,
        (("interval", "1m"), ("limit", str(KLINE_BARS))), budget="weight", group=market, param="symbol", of=symbol,
    )  # fmt: skip


def _settled(um: str, cm: str) -> Iterator[Poll]:
    """UM answers for all symbols, but without a time only the newest 200 rows, fewer than are settled at once; so the last
    two hours are asked for (1000 rows at most, oldest first). What that misses, at a start or in an outage, comes with the
    rows of each symbol three times a day. CM answers for one symbol only."""
    yield Poll(
        "um_fundingRate", "settled funding", topics.FUNDING, f"{um}/fapi/v1/fundingRate", 10 * MINUTE_S,
        (("limit", "1000"),), budget="funding", since=("startTime", 2 * HOUR_S),
    )  # fmt: skip
    yield Poll(
        "um_fundingRate", "settled funding, each contract", topics.FUNDING, f"{um}/fapi/v1/fundingRate", 8 * HOUR_S,
        (("limit", "10"),), budget="funding", group="um", param="symbol", of=perpetual, spread_s=HOUR_S,
    )  # fmt: skip
    yield Poll(
        "cm_fundingRate", "settled funding, each contract", topics.FUNDING, f"{cm}/dapi/v1/fundingRate", HOUR_S,
        (("limit", "10"),), budget="weight", group="cm", param="symbol", of=perpetual,
    )  # fmt: skip


def _ratios(um: str, cm: str) -> Iterator[Poll]:
    params = (("period", "5m"), ("limit", str(RATIO_BARS)))
    for name, carries in (*RATIOS.items(), ("takerlongshortRatio", "taker volumes")):
        yield Poll(
            f"um_{name}@5m", carries, topics.RATIO, f"{um}/futures/data/{name}", RATIO_EVERY_S, params,
            budget="um data", group="um", param="symbol", of=perpetual,
        )  # fmt: skip
    for name, carries in (*RATIOS.items(), ("takerBuySellVol", "taker volumes")):
        of_type = (("contractType", "PERPETUAL"),) if name == "takerBuySellVol" else ()
        yield Poll(
            f"cm_{name}@5m", carries, topics.RATIO, f"{cm}/futures/data/{name}", RATIO_EVERY_S, (*params, *of_type),
            budget="cm data", group="cm", param="pair", of=_pair,
        )  # fmt: skip


def _pair(item: Listed) -> str:
    return item.underlying if item.funding else ""
