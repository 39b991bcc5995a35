"""Aster by REST: what is polled and what it costs. Facts: exchanges/aster.md. Liquidations are not public by REST."""

from collectors import topics
from collectors.venues.venue import Poll, Rate, perpetual, symbol

GROUP = "um"
MINUTE_S = 60.0
HOUR_S = 60 * MINUTE_S
BUDGETS = {"weight": Rate(2400, MINUTE_S)}
SETTLED = "fundingRate"
API = "/fapi/v3"


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    base = f"{host}{API}"
    return (
        Poll(
            "exchangeInfo", "instruments", topics.REFERENCE, f"{base}/exchangeInfo", 10 * MINUTE_S, budget="weight",
            group=GROUP, lists=True,
        ),
        Poll(
            "openInterest", "open interest", topics.OPEN_INTEREST, f"{base}/openInterest", MINUTE_S, budget="weight",
            group=GROUP, param="symbol", of=symbol,
        ),
        Poll(
            "fundingInfo", "funding intervals", topics.FUNDING, f"{base}/fundingInfo", 10 * MINUTE_S, budget="weight"
        ),
        Poll(
            SETTLED, "settled funding", topics.FUNDING, f"{base}/{SETTLED}", HOUR_S, (("limit", "10"),), budget="weight",
            group=GROUP, param="symbol", of=perpetual,
        ),
    )  # fmt: skip
