"""Bybit by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/bybit.md §3 to §9.

One budget for all endpoints: 600 requests in 5 s an address. Open interest, mark price and the running funding rate come by
the tickers' socket. An answer of ratios or klines holds the bars of two rounds, so none is missed where one round fails.
"""

from collections.abc import Iterator

import msgspec

from collectors import topics
from collectors.venues.answers import excerpt, retry_after_s
from collectors.venues.decoded import decoded
from collectors.venues.venue import Answer, Listed, Page, Poll, Rate, Refusal, perpetual, symbol

CATEGORIES = ("linear", "inverse")
BUDGETS = {"requests": Rate(600, 5.0)}
MINUTE_S = 60.0
HOUR_S = 60 * MINUTE_S
KLINE_EVERY_S = 5 * MINUTE_S
KLINE_BARS = 12
DAY_S = 24 * HOUR_S
TOO_MANY_VISITS = 10006
IP_LIMIT, OVERLOADED = 10018, 10429
"""As retCode in an answer of status 200 what statuses 403 and 429 say (Bybit's list of errors; not in exchanges/)."""
BAN_S, OVERLOADED_S = 600.0, 60.0


def before_launch(category: str) -> str:
    """Return the group of a category's contracts that trade before their launch: its list leaves them out (§8)."""
    return f"{category}-prelaunch"


class _Instrument(msgspec.Struct):
    symbol: str
    contractType: str = ""  # noqa: N815


class _Instruments(msgspec.Struct):
    list: list[_Instrument]
    nextPageCursor: str = ""  # noqa: N815


class _InstrumentsAnswer(msgspec.Struct):
    result: _Instruments


class _Code(msgspec.Struct):
    retCode: int = 0  # noqa: N815
    retMsg: str | None = None  # noqa: N815


_instruments = msgspec.json.Decoder(_InstrumentsAnswer)
_code = msgspec.json.Decoder(_Code)


def page(body: bytes) -> Page:
    """Return the instruments on a page, and how to go on; of instruments and of risk limits alike."""
    result = _instruments.decode(body).result
    listed = tuple(Listed(i.symbol, funding="Perpetual" in i.contractType) for i in result.list)
    return Page(listed, (("cursor", result.nextPageCursor),) if result.nextPageCursor else ())


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status, or by `retCode` in an answer of status 200."""
    reason = f"HTTP {answer.status}: {excerpt(answer.body)}"
    if answer.status in (403, 429):
        # 403 "access too frequent" lifts after 10 minutes without any request (§9)
        return Refusal(reason, retry_after_s(answer, BAN_S if answer.status == 403 else OVERLOADED_S))
    if answer.status != 200:
        return Refusal(reason)
    code = decoded(_code, answer.body)
    if code is None:
        return None
    if not code.retCode:
        return None
    stops = {TOO_MANY_VISITS: _until_reset_s(answer), IP_LIMIT: BAN_S, OVERLOADED: OVERLOADED_S}
    return Refusal(f"retCode {code.retCode}: {code.retMsg}", stops.get(code.retCode, 0.0))


def _until_reset_s(answer: Answer) -> float:
    reset_ms = answer.headers.get("x-bapi-limit-reset-timestamp", "")
    wait = int(reset_ms) / 1000 - answer.received_s if reset_ms.isdecimal() else 5.0
    return retry_after_s(answer, min(max(wait, 1.0), 600.0))


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    return tuple(poll for category in CATEGORIES for poll in _of(category, f"{host}/v5/market"))


def _of(category: str, base: str) -> Iterator[Poll]:
    of_category = ("category", category)
    yield Poll(
        "instruments-info", f"{category} instruments", topics.REFERENCE, f"{base}/instruments-info", 10 * MINUTE_S,
        (of_category, ("limit", "1000")), group=category, lists=True, per_page=1000,
    )  # fmt: skip
    yield Poll(
        "instruments-info", f"{category} instruments before their launch", topics.REFERENCE, f"{base}/instruments-info",
        10 * MINUTE_S, (of_category, ("status", "PreLaunch"), ("limit", "1000")), group=before_launch(category), lists=True,
        per_page=1000,
    )  # fmt: skip
    yield Poll(
        "funding_history", f"{category} settled funding", topics.FUNDING, f"{base}/funding/history", HOUR_S,
        (of_category, ("limit", "10")), group=category, param="symbol", of=perpetual,
    )  # fmt: skip
    yield Poll(
        "kline@1", f"{category} 1-minute klines", topics.KLINE, f"{base}/kline", KLINE_EVERY_S,
        (of_category, ("interval", "1"), ("limit", str(KLINE_BARS))), group=category, param="symbol", of=symbol,
    )  # fmt: skip
    yield Poll(
        "account-ratio@5min", f"{category} long/short accounts", topics.RATIO, f"{base}/account-ratio", 5 * MINUTE_S,
        (of_category, ("period", "5min"), ("limit", "3")), group=category, param="symbol", of=perpetual,
    )  # fmt: skip
    yield Poll(
        "risk-limit", f"{category} leverage tiers", topics.REFERENCE, f"{base}/risk-limit", DAY_S, (of_category,),
        group=category, per_page=15, spread_s=MINUTE_S,
    )  # fmt: skip
