"""What an answer of OKX's REST is, by the fields of its first item."""

from pipelines.venues.answers import Fields, named
from pipelines.venues.venue import Answered

FIELDS: Fields = (
    ("instId ctVal", "instruments"),
    ("realizedRate fundingTime", "funding-rate-history"),
    ("fundingRate fundingTime", "funding-rate"),
    ("instId oi oiCcy", "open-interest"),
    ("instId details", "liquidation-orders"),
    ("instId markPx", "mark-price"),
    ("instId idxPx", "index-tickers"),
    ("tier mmr", "position-tiers"),
)


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer with code and data."""
    return named(payload, lambda answer: "code" in answer and "data" in answer, lambda a: a["data"], FIELDS)
