"""CoinEx by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/coinex.md §1, §3.

Liquidations are asked for a market at a time, from the last one that is known: nothing is missed, however few an answer
has.
"""

from collections.abc import Sequence

import msgspec

from collectors import topics
from collectors.venues.answers import refused
from collectors.venues.decoded import decoded
from collectors.venues.venue import Answer, Listed, Newest, Page, Poll, Rate, Refusal, symbol

GROUP = "futures"
STATE_EVERY_S, LIQUIDATIONS_EVERY_S = 20.0, 360.0
HOUR_S = 3600.0
BUDGETS = {"requests": Rate(50, 10.0)}
"""Not documented: a careful guess."""
MOST = 10
"""Of an answer, as the documentation's example asks; more may be refused."""


class _Market(msgspec.Struct):
    market: str
    is_market_available: bool = True


class _Markets(msgspec.Struct):
    data: list[_Market]


class _Liquidation(msgspec.Struct):
    created_at: int


class _Liquidations(msgspec.Struct):
    data: list[_Liquidation]


class _Status(msgspec.Struct):
    code: int = 0


_markets = msgspec.json.Decoder(_Markets)
_liquidations = msgspec.json.Decoder(_Liquidations)
_status = msgspec.json.Decoder(_Status)


def page(body: bytes) -> Page:
    """Return the markets that are traded; there is one page."""
    return Page(tuple(Listed(m.market.strip()) for m in _markets.decode(body).data if m.is_market_available))


def times(body: bytes) -> Sequence[int]:
    """Return the times of the liquidations of an answer, UTC ms. Raises msgspec.MsgspecError."""
    return [each.created_at for each in _liquidations.decode(body).data]


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status, or by `code` in an answer of status 200."""
    found = decoded(_status, answer.body)
    code = found.code if found else 0
    return refused(answer, 10.0, is_bad=bool(code))


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    base = f"{host}/v2/futures"
    newest = Newest("start_time", "end_time", MOST, times, first_s=6 * HOUR_S)
    return (
        Poll("market", "instruments", topics.REFERENCE, f"{base}/market", 600.0, group=GROUP, lists=True),
        Poll("market-state", "open interest", topics.OPEN_INTEREST, f"{base}/market", STATE_EVERY_S),
        Poll("ticker", "mark, index", topics.TICKER, f"{base}/ticker", STATE_EVERY_S),
        Poll("funding-rate", "running funding", topics.FUNDING, f"{base}/funding-rate", STATE_EVERY_S),
        Poll(
            "funding-rate-history", "settled funding", topics.FUNDING, f"{base}/funding-rate-history", HOUR_S,
            (("limit", str(MOST)),), group=GROUP, param="market", of=symbol,
        ),
        Poll(
            "liquidation-history", "liquidations", topics.LIQUIDATION, f"{base}/liquidation-history", LIQUIDATIONS_EVERY_S,
            (("limit", str(MOST)),), group=GROUP, param="market", of=symbol, newest=newest,
        ),
    )  # fmt: skip
