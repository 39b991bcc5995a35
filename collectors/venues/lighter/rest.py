"""Lighter by REST: what is polled and what it costs, and what an answer says. Facts: pipelines/venues/lighter/README.md."""

import msgspec

from collectors import topics
from collectors.venues.answers import refused
from collectors.venues.venue import Answer, Listed, Page, Poll, Rate, Refusal, symbol

GROUP = "perps"
HOUR_S = 3600.0
BUDGETS = {"requests": Rate(60, 60.0)}
"""Of an address without an account's key."""
LISTED = "active"


class _Market(msgspec.Struct):
    market_id: int
    status: str = LISTED


class _Markets(msgspec.Struct):
    order_book_details: list[_Market]


_markets = msgspec.json.Decoder(_Markets)


def page(body: bytes) -> Page:
    """Return the perpetuals that are traded, by their numbers; there is one page. Spot is in a list of its own."""
    found = _markets.decode(body).order_book_details
    return Page(tuple(Listed(str(market.market_id)) for market in found if market.status == LISTED))


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status."""
    return refused(answer, 60.0)


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    base = f"{host}/api/v1"
    return (
        Poll(
            "orderBookDetails", "instruments", topics.REFERENCE, f"{base}/orderBookDetails", 600.0, group=GROUP, lists=True
        ),
        Poll(
            "fundings", "settled funding", topics.FUNDING, f"{base}/fundings", HOUR_S,
            (("resolution", "1h"), ("end_timestamp", "5000000000000"), ("count_back", "12")), group=GROUP, param="market_id",
            of=symbol, since=("start_timestamp", 12 * HOUR_S),
        ),
    )  # fmt: skip
