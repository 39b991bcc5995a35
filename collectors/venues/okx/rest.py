"""OKX by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/okx.md §3 to §9.

Every endpoint has a limit of its own, by address and often by instrument too; here each is kept as if it were by address
alone. A ratio's answer holds the bars of two rounds, so none is missed where one round fails. Tiers are asked for by family
of swaps: the answer does not say whether they are a swap's or a future's of the same family. Candles are asked for at the
endpoint of recent ones: it allows twice as much as that of older ones, which a backfill uses. They and the bars of a ratio
are those of two rounds and the one that runs, as a request that fails is not made again before the next round.
"""

from collections.abc import Iterator

import msgspec

from collectors import topics
from collectors.venues.answers import excerpt, retry_after_s
from collectors.venues.decoded import decoded
from collectors.venues.venue import Answer, Listed, Newest, Page, Poll, Rate, Refusal, perpetual, symbol

TYPES = ("SWAP", "FUTURES")
LIQUIDATIONS = "liquidation-orders"
LIQUIDATIONS_AT_ONCE = 100
FILLED = "liquidation-orders@filled"
"""By REST: not the pushed channel, whose silence must be seen."""
MINUTE_S = 60.0
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S
CANDLE_EVERY_S = 5 * MINUTE_S
CANDLE_BARS = 12
RATIO_EVERY_S = 15 * MINUTE_S
RATIO_BARS = 7
RATIOS = {
    "contracts/long-short-account-ratio-contract": "long/short accounts",
    "contracts/long-short-account-ratio-contract-top-trader": "long/short accounts, top traders",
    "contracts/long-short-position-ratio-contract-top-trader": "long/short positions, top traders",
    "taker-volume-contract": "taker volumes",
}
RATIO_CHANNELS = tuple(f"rubik_{path.rpartition('/')[2]}@5m" for path in RATIOS)
BUDGETS = {
    "instruments": Rate(20, 2.0),
    "candles": Rate(40, 2.0),
    "funding-rate-history": Rate(10, 2.0),
    "position-tiers": Rate(10, 2.0),
    LIQUIDATIONS: Rate(20, 2.0),  # 40 as documented until 2023
    **{path.rpartition("/")[2]: Rate(5, 2.0) for path in RATIOS},
}
FAMILIES_AT_ONCE = 5
SERVER_ERROR = 500
TOO_MANY_REQUESTS = "50011"
BUSY = ("50001", "50004", "50013", "50026")
"""Unavailable, timed out, busy, failed inside: not a word about what was asked, whatever the status beside it."""
BUSY_S = 5.0
NOT_SUBSCRIBED = ("preopen", "test", "expired")


class _Instrument(msgspec.Struct):
    instId: str  # noqa: N815
    uly: str = ""
    instFamily: str = ""  # noqa: N815
    state: str = ""
    instType: str = ""  # noqa: N815
    ruleType: str = ""  # noqa: N815


class _InstrumentsAnswer(msgspec.Struct):
    data: list[_Instrument]


class _Code(msgspec.Struct):
    code: str | int = "0"


class _Liquidated(msgspec.Struct):
    ts: str


class _Orders(msgspec.Struct):
    details: list[_Liquidated] = []


class _Liquidations(msgspec.Struct):
    data: list[_Orders]


_liquidations = msgspec.json.Decoder(_Liquidations)
_instruments = msgspec.json.Decoder(_InstrumentsAnswer)
_code = msgspec.json.Decoder(_Code)


def page(body: bytes) -> Page:
    """Return the instruments of a type that can be subscribed; there is one page."""
    subscribed = (i for i in _instruments.decode(body).data if i.state not in NOT_SUBSCRIBED)
    return Page(
        tuple(
            Listed(i.instId, i.uly, i.instType == "SWAP" or i.ruleType == "xperp", i.instFamily or i.uly)
            for i in subscribed
        )
    )


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status, or by `code` in an answer of status 200."""
    found = decoded(_code, answer.body)
    code = str(found.code) if found else "0"
    reason = f"HTTP {answer.status}: {excerpt(answer.body)}"
    if answer.status == 429 or code == TOO_MANY_REQUESTS:
        return Refusal(reason, retry_after_s(answer, 10.0))
    if answer.status == 403:
        return Refusal(reason, retry_after_s(answer, 300.0))
    if code in BUSY and answer.status < SERVER_ERROR:
        return Refusal(reason, retry_after_s(answer, BUSY_S))
    return Refusal(reason) if answer.status != 200 or code != "0" else None


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    public = f"{host}/api/v5/public"
    return (
        *_public(public),
        _candles(f"{host}/api/v5/market/candles"),
        *(_ratio(path, carries, f"{host}/api/v5/rubik/stat") for path, carries in RATIOS.items()),
    )


def _public(base: str) -> Iterator[Poll]:
    for type_ in TYPES:
        yield Poll(
            "instruments", f"{type_} instruments", topics.REFERENCE, f"{base}/instruments", 10 * MINUTE_S,
            (("instType", type_),), budget="instruments", group=type_, lists=True,
        )  # fmt: skip
        yield Poll(
            FILLED, "liquidations, again", topics.LIQUIDATION, f"{base}/liquidation-orders", 5 * MINUTE_S,
            (("instType", type_), ("state", "filled"), ("limit", str(LIQUIDATIONS_AT_ONCE))), budget=LIQUIDATIONS, group=type_,
            param="instFamily", of=_family, newest=Newest("before", "after", LIQUIDATIONS_AT_ONCE, liquidated),
        )  # fmt: skip
    yield Poll(
        "funding-rate-history", "settled funding", topics.FUNDING, f"{base}/funding-rate-history", HOUR_S,
        (("limit", "10"),), budget="funding-rate-history", param="instId", of=perpetual,
    )  # fmt: skip
    yield Poll(
        "position-tiers", "leverage tiers", topics.REFERENCE, f"{base}/position-tiers", DAY_S,
        (("instType", "SWAP"), ("tdMode", "cross")), budget="position-tiers", group="SWAP", param="instFamily",
        of=_family, at_once=FAMILIES_AT_ONCE, spread_s=5 * MINUTE_S,
    )  # fmt: skip


def _candles(url: str) -> Poll:
    return Poll(
        "candles@1m", "1-minute klines", topics.KLINE, url, CANDLE_EVERY_S,
        (("bar", "1m"), ("limit", str(CANDLE_BARS))), budget="candles", param="instId", of=symbol,
    )  # fmt: skip


def _ratio(path: str, carries: str, base: str) -> Poll:
    name = path.rpartition("/")[2]
    params: tuple[tuple[str, str], ...] = (("period", "5m"), ("limit", str(RATIO_BARS)))
    if name == "taker-volume-contract":
        params = (*params, ("unit", "1"))  # contracts
    return Poll(
        f"rubik_{name}@5m", carries, topics.RATIO, f"{base}/{path}", RATIO_EVERY_S, params,
        budget=name, param="instId", of=perpetual,
    )  # fmt: skip


def liquidated(body: bytes) -> list[int]:
    """Return the time of each liquidation of an answer, UTC ms."""
    return [int(one.ts) for of in _liquidations.decode(body).data for one in of.details]


def _family(item: Listed) -> str:
    return item.family
