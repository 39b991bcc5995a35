"""Bitfinex by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/bitfinex.md §1 to §3."""

import msgspec

from collectors import topics
from collectors.venues.answers import refused
from collectors.venues.venue import Answer, Listed, Page, Poll, Rate, Refusal

GROUP = "futures"
STATE_EVERY_S = 20.0
REPAIR_EVERY_S = 300.0
BUDGETS = {"conf": Rate(10, 60.0), "status": Rate(90, 60.0), "liquidations": Rate(3, 60.0)}

_pairs = msgspec.json.Decoder(list[list[str]])


def page(body: bytes) -> Page:
    """Return the contracts; there is one page."""
    return Page(tuple(Listed(f"t{pair}") for pairs in _pairs.decode(body) for pair in pairs))


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status; an answer `["error", …]` has another than 200."""
    return refused(answer, 60.0, is_too_many=b"ratelimit" in answer.body[:200])


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    base = f"{host}/v2"
    return (
        Poll(
            "futures", "instruments", topics.REFERENCE, f"{base}/conf/pub:list:pair:futures", 600.0, budget="conf",
            group=GROUP, lists=True,
        ),
        Poll(
            "status_deriv", "funding, open interest, mark, index", topics.TICKER, f"{base}/status/deriv", STATE_EVERY_S,
            (("keys", "ALL"),), budget="status",
        ),
        Poll(
            "liquidations_hist", "liquidations, again", topics.LIQUIDATION, f"{base}/liquidations/hist", REPAIR_EVERY_S,
            (("limit", "500"), ("sort", "-1")), budget="liquidations",
        ),
    )  # fmt: skip
