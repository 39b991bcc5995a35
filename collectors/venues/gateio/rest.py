"""Gate by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/gateio-futures.md §1 to §4.

An endpoint has 200 requests in ten seconds. Liquidations are asked for besides, of all contracts at once: they are the second
source by which the sign of the pushed ones is known.
"""

from collections.abc import Iterator

import msgspec

from collectors import topics
from collectors.venues.answers import refused
from collectors.venues.venue import Answer, Listed, Page, Poll, Rate, Refusal, perpetual

SETTLES = ("usdt", "btc")
MINUTE_S = 60.0
HOUR_S = 60 * MINUTE_S
TICKERS_EVERY_S = 20.0
LIQUIDATIONS_EVERY_S = 30.0
BUDGETS = {name: Rate(200, 10.0) for name in ("contracts", "tickers", "liq_orders", "funding_rate", "contract_stats")}
DELIVERED_PARTS = 3


class _Contract(msgspec.Struct):
    name: str
    in_delisting: bool = False


_contracts = msgspec.json.Decoder(list[_Contract])


def page(body: bytes) -> Page:
    """Return the contracts of a settlement; there is one page."""
    return Page(tuple(Listed(c.name, funding=c.name.count("_") + 1 < DELIVERED_PARTS) for c in _contracts.decode(body)))


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status."""
    return refused(answer, 10.0)


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    return tuple(each for settle in SETTLES for each in _of(settle, f"{host}/api/v4/futures/{settle}"))


def _of(settle: str, base: str) -> Iterator[Poll]:
    yield Poll(
        "contracts", f"{settle} instruments", topics.REFERENCE, f"{base}/contracts", 10 * MINUTE_S, budget="contracts",
        group=settle, lists=True,
    )  # fmt: skip
    yield Poll(
        "tickers", f"{settle} funding, open interest, mark, index", topics.TICKER, f"{base}/tickers", TICKERS_EVERY_S,
        budget="tickers",
    )  # fmt: skip
    yield Poll(
        "liq_orders", f"{settle} liquidations, the second source", topics.LIQUIDATION, f"{base}/liq_orders",
        LIQUIDATIONS_EVERY_S, (("limit", "1000"),), budget="liq_orders",
    )  # fmt: skip
    yield Poll(
        "funding_rate", f"{settle} settled funding", topics.FUNDING, f"{base}/funding_rate", HOUR_S, (("limit", "100"),),
        budget="funding_rate", group=settle, param="contract", of=perpetual,
    )  # fmt: skip
    yield Poll(
        "contract_stats@5m", f"{settle} long/short ratios", topics.RATIO, f"{base}/contract_stats", 5 * MINUTE_S,
        (("interval", "5m"), ("limit", "3")), budget="contract_stats", group=settle, param="contract", of=perpetual,
    )  # fmt: skip
