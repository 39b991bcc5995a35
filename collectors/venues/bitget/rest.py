"""Bitget by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/bitget.md §1, §3, §4.

One answer has the tickers of a whole category: funding, open interest, mark and index. An address has 6,000 requests a minute,
and each endpoint ten a second.
"""

from collections.abc import Iterator

import msgspec

from collectors import topics
from collectors.venues.answers import refused
from collectors.venues.decoded import decoded
from collectors.venues.venue import Answer, Listed, Page, Poll, Rate, Refusal, perpetual

CATEGORIES = ("USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES")
MINUTE_S = 60.0
HOUR_S = 60 * MINUTE_S
TICKERS_EVERY_S = 20.0
RATIOS_EVERY_S = 30 * MINUTE_S
BUDGETS = {
    "requests": Rate(6000, 60.0), "history-fund-rate": Rate(10, 1.0), "account-long-short": Rate(1, 1.0),
}  # fmt: skip
OF_V2 = ("USDT-FUTURES", "USDC-FUTURES")
"""Categories whose contracts have the same names in v2, which alone has ratios and candles."""
V2 = "/api/v2/mix/market"
TOO_MANY = ("429", "30007")
GONE = "offline"


class _Instrument(msgspec.Struct):
    symbol: str
    baseCoin: str = ""  # noqa: N815
    quoteCoin: str = ""  # noqa: N815
    type: str = ""
    status: str = ""


class _Answer(msgspec.Struct):
    data: list[_Instrument]


class _Code(msgspec.Struct):
    code: str | int = "00000"


_instruments = msgspec.json.Decoder(_Answer)
_code = msgspec.json.Decoder(_Code)


def page(body: bytes) -> Page:
    """Return the instruments of a category; there is one page."""
    return Page(
        tuple(
            Listed(i.symbol, f"{i.baseCoin}{i.quoteCoin}", i.type != "delivery")
            for i in _instruments.decode(body).data
            if i.status != GONE
        )
    )


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status, or by `code` in an answer of status 200."""
    found = decoded(_code, answer.body)
    code = str(found.code) if found else "00000"
    return refused(answer, 10.0, is_too_many=code in TOO_MANY, is_bad=code != "00000")


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    return (
        *(each for category in CATEGORIES for each in _of(category, f"{host}/api/v3/market")),
        *(_ratios(category, f"{host}{V2}/account-long-short") for category in OF_V2),
    )


def _ratios(category: str, url: str) -> Poll:
    return Poll(
        "account-long-short@5m", f"{category} long/short ratios", topics.RATIO, url, RATIOS_EVERY_S, (("period", "5m"),),
        budget="account-long-short", group=category, param="symbol", of=perpetual,
    )  # fmt: skip


def _of(category: str, base: str) -> Iterator[Poll]:
    asked = (("category", category),)
    yield Poll(
        "instruments", f"{category} instruments", topics.REFERENCE, f"{base}/instruments", 10 * MINUTE_S, asked,
        group=category, lists=True,
    )  # fmt: skip
    yield Poll(
        "tickers", f"{category} funding, open interest, mark, index", topics.TICKER, f"{base}/tickers", TICKERS_EVERY_S,
        asked,
    )  # fmt: skip
    yield Poll(
        "history-fund-rate", f"{category} settled funding", topics.FUNDING, f"{base}/history-fund-rate", HOUR_S,
        (*asked, ("limit", "100")), budget="history-fund-rate", group=category, param="symbol", of=perpetual,
    )  # fmt: skip
