"""Every difference that is known: whose reading is right, why, and what exactly the other one says instead.

`says` computes their value from our row and the frame: a difference is explained only where it is exactly that one.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.foreign.compare import Pair, ms, same

Says = Callable[[Pair], Any]
EVERY = ("tardis-dev", "ccxt", "cryptofeed")
DAY_MS = 86_400_000


class Explanation(NamedTuple):
    """`right`: ours, theirs, or both (another unit). `source`: exchanges/ section or the client's own file."""

    clients: tuple[str, ...]
    venues: tuple[str, ...]
    field: str
    says: Says
    right: str
    why: str
    where: Callable[[Pair], bool] = lambda _: True


def _order(pair: Pair) -> dict[str, Any]:
    """The order inside a Binance forceOrder message, bare or combined."""
    message = json.loads(pair.heard.frame)
    found: dict[str, Any] = message.get("data", message)["o"]
    return found


def _event_ms(pair: Pair) -> int:
    message = json.loads(pair.heard.frame)
    return int(message.get("data", message)["E"])


def _details_before(pair: Pair) -> int:
    """How many details of its instrument come before this one in an OKX frame."""
    places = [n for entry in json.loads(pair.heard.frame)["data"] for n in range(len(entry["details"]))]
    return places[pair.nth]


def _multiplied(pair: Pair) -> bool:
    return bool(pair.row["symbol"].startswith("1000"))


def _linear(pair: Pair) -> bool:
    return pair.row.get("contract") == "linear"


def _inverse(pair: Pair) -> bool:
    return pair.row.get("contract") == "inverse"


def _delivers(pair: Pair) -> bool:
    return pair.ours is None and pair.field in ("funding rate", "next funding", "time of the rate")


QUOTED = lambda pair: pair.row["price_raw"]  # noqa: E731
RAW = lambda pair: pair.row["qty_raw"]  # noqa: E731
LIMIT = lambda pair: pair.row["order_price"]  # noqa: E731
NONE = lambda _: None  # noqa: E731
OPPOSITE = {"long": "short", "short": "long"}

KNOWN = (
    Explanation(("tardis-dev", "cryptofeed"), ("binance",), "price of a coin", LIMIT, "ours",
                "gives p, the order's limit at the bankruptcy price; it filled at ap (binance.md §2)"),
    Explanation(("ccxt",), ("binance",), "coins", lambda p: float(_order(p)["l"]), "ours",
                "gives l, the last fill only; filled is z (binance.md §2)", where=lambda p: _order(p)["l"] != _order(p)["z"]),
    Explanation(EVERY, ("binance",), "coins", RAW, "ours",
                "gives COIN-M contracts (100 or 10 USD each) as they are (binance.md §2)", where=_inverse),
    Explanation(EVERY, ("binance", "bybit"), "price of a coin", QUOTED, "both",
                "of 1000PEPE as quoted; ours of one PEPE", where=_multiplied),
    Explanation(EVERY, ("binance", "bybit"), "coins", RAW, "both", "counts 1000PEPE; ours PEPE", where=_multiplied),
    Explanation(("cryptofeed",), ("binance",), "time", _event_ms, "ours",
                "gives E, when it was pushed, about a second late; it happened at T (binance.md §2)"),
    Explanation(("ccxt",), ("bybit",), "position side", lambda p: OPPOSITE[p.ours], "ours",
                "passes S on as an order side; it is the position's: Buy = a long was liquidated (bybit.md §2)"),
    Explanation(("tardis-dev", "ccxt"), ("bybit",), "coins", RAW, "ours",
                "gives an inverse contract's size, which is USD, as it is (bybit.md §2)", where=_inverse),
    Explanation(("tardis-dev", "ccxt"), ("okx",), "coins", RAW, "ours",
                "gives contracts as they are, without ctVal (okx.md §2)"),
    Explanation(("tardis-dev",), ("okx",), "liquidation", lambda _: "left out", "ours",
                "drops the first liquidation-orders message after each connect (okx.md §2)"),
    Explanation(("ccxt",), ("okx",), "liquidation", lambda _: "left out", "ours",
                "reads details[0] of each instrument only (okx.md §2)", where=lambda p: _details_before(p) > 0),
    Explanation(("ccxt",), ("binance", "bybit", "okx"), "USD", NONE, "ours",
                "publishes no value: its safe_liquidation is handed no market, so no contract size"),
    Explanation(("ccxt",), ("binance",), "funding rate", lambda _: 0.0, "ours",
                "reads a delivery contract's rate as zero; it pays none (binance.md §3)", where=_delivers),
    Explanation(("ccxt",), ("binance",), "next funding", lambda _: 0, "ours",
                "a delivery contract has no next funding (binance.md §3)", where=_delivers),
    Explanation(("cryptofeed",), ("bybit",), "next funding", lambda p: p.ours * 1000, "ours",
                "leaves Bybit's milliseconds as they are where its unit is seconds"),
    Explanation(("cryptofeed",), ("bybit",), "time of the rate", lambda p: p.ours * 1000, "ours",
                "leaves Bybit's milliseconds as they are where its unit is seconds"),
    Explanation(("cryptofeed",), ("okx",), "time of the rate", lambda p: ms(p.row["next_funding_ts"]), "ours",
                "gives fundingTime, when it will be settled, as the time of the message (okx.md §3)"),
    Explanation(("tardis-dev",), ("okx",), "time of the rate", lambda p: p.theirs, "ours",
                "does not read ts: gives when the last mark price or open interest was, or when it arrived"),
    Explanation(("ccxt",), ("okx",), "time of the rate", NONE, "ours", "does not read ts"),
    Explanation(("cryptofeed",), ("okx",), "next funding", NONE, "ours", "leaves it empty"),
    Explanation(EVERY, ("binance", "bybit"), "mark price of a coin", lambda p: p.ours * p.row["multiplier"], "both",
                "of 1000PEPE as quoted; ours of one PEPE", where=_multiplied),
)  # fmt: skip

NOT_RECEIVED = {
    ("cryptofeed", "bybit"): "asks for the topic liquidation.*, retired in 2025 and refused (bybit.md §2)",
    ("cryptofeed", "okx"): "asks REST liquidation-orders, gone since 2023: 404 (okx.md §2)",
}
"""Client and venue of which it receives no liquidation at all, and why."""


def explanation_of(pair: Pair) -> Explanation | None:
    """Return why a pair differs; None where that is not known, or not exactly so."""
    for known in KNOWN:
        fits = pair.client in known.clients and pair.venue in known.venues and pair.field == known.field
        if fits and known.where(pair) and same(known.says(pair), pair.theirs):
            return known
    return None
