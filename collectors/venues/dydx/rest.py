"""dYdX by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/dydx-v4.md §1 to §4.

Each market's last hundred trades are asked for every half hour, so that a gap of its socket is filled. An answer
without a liquidation goes where tickers go, and is not kept for ever.
"""

import msgspec

from collectors import topics
from collectors.venues.answers import refused
from collectors.venues.venue import Answer, Listed, Page, Poll, Rate, Refusal, symbol

GROUP = "markets"
HOUR_S = 3600.0
BUDGETS = {"requests": Rate(100, 10.0)}
FLAGS = (b'"LIQUIDATED"', b'"DELEVERAGED"')
CLOSED = "FINAL_SETTLEMENT"


class _Market(msgspec.Struct):
    ticker: str
    status: str = ""


class _Markets(msgspec.Struct):
    markets: dict[str, _Market]


_markets = msgspec.json.Decoder(_Markets)


def page(body: bytes) -> Page:
    """Return the markets that are not closed for good; there is one page."""
    return Page(tuple(Listed(m.ticker) for m in _markets.decode(body).markets.values() if m.status != CLOSED))


def topic_of(payload: bytes) -> str:
    """Return where trades go: by whether one of them closed a position by force."""
    return topics.LIQUIDATION if any(flag in payload for flag in FLAGS) else topics.TICKER


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status."""
    return refused(answer, 10.0)


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    base = f"{host}/v4"
    return (
        Poll(
            "perpetualMarkets", "instruments", topics.REFERENCE, f"{base}/perpetualMarkets", 600.0, group=GROUP, lists=True
        ),
        Poll(
            "trades", "liquidations, again", topics.LIQUIDATION, f"{base}/trades/perpetualMarket/{{}}", HOUR_S / 2,
            (("limit", "100"),), group=GROUP, of=symbol, topic_of=topic_of,
        ),
        Poll(
            "historicalFunding", "settled funding", topics.FUNDING, f"{base}/historicalFunding/{{}}", HOUR_S,
            (("limit", "24"),), group=GROUP, of=symbol,
        ),
    )  # fmt: skip
