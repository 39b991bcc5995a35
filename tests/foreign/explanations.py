"""Every difference that is known: whose reading is right, why, and what exactly the other one says instead.

`says` gives their value from what the venue sent, so a difference is explained only where it is exactly that one. What ours
must be is held against the market itself for liquidations (compare.not_received), and for rates against what was sent, by
`ours` or by a fixed relation: no explanation can hide an error of ours.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.foreign.compare import Pair, same

Says = Callable[[Pair], Any]
EVERY = ("tardis-dev", "ccxt", "cryptofeed")
QUANTITY = {"binance": "z", "bybit": "v", "okx": "sz"}
PRICE = {"binance": "ap", "bybit": "p"}


class Explanation(NamedTuple):
    """`right`: ours, theirs, or both (another unit). `source`: exchanges/ section or the client's own file."""

    clients: tuple[str, ...]
    venues: tuple[str, ...]
    field: str
    says: Says
    right: str
    why: str
    where: Callable[[Pair], bool] = lambda _: True
    ours: Says = lambda pair: pair.ours


def _scale(pair: Pair) -> int:
    assert pair.contract is not None
    return pair.contract.scale


def _multiplied(pair: Pair) -> bool:
    return pair.contract is not None and pair.contract.scale > 1


def _inverse(pair: Pair) -> bool:
    return pair.contract is not None and pair.contract.inverse


def _delivers(pair: Pair) -> bool:
    return pair.contract is not None and pair.contract.expiry_ms > 0


def _number(name: str) -> Says:
    return lambda pair: float(pair.sent[name])


def _time(name: str) -> Says:
    return lambda pair: int(pair.sent[name])


QUOTED: Says = lambda pair: float(pair.sent[PRICE[pair.venue]])  # noqa: E731
RAW: Says = lambda pair: float(pair.sent[QUANTITY[pair.venue]])  # noqa: E731
NONE: Says = lambda _: None  # noqa: E731
AS_ORDER = {"Sell": "long", "Buy": "short"}

KNOWN = (
    Explanation(("tardis-dev", "cryptofeed"), ("binance",), "price of a coin", _number("p"), "ours",
                "gives p, the order's limit at the bankruptcy price; it filled at ap (binance.md §2)"),
    Explanation(("ccxt",), ("binance",), "coins", _number("l"), "ours",
                "gives l, the last fill only; filled is z (binance.md §2)", where=lambda p: p.sent["l"] != p.sent["z"]),
    Explanation(EVERY, ("binance",), "coins", RAW, "ours",
                "gives COIN-M contracts (100 or 10 USD each) as they are (binance.md §2)", where=_inverse),
    Explanation(EVERY, ("binance", "bybit"), "price of a coin", QUOTED, "both",
                "of 1000PEPE as quoted; ours of one PEPE", where=_multiplied),
    Explanation(EVERY, ("binance", "bybit"), "coins", RAW, "both", "counts 1000PEPE; ours PEPE", where=_multiplied),
    Explanation(("cryptofeed",), ("binance",), "time", _time("E"), "ours",
                "gives E, when it was pushed, about a second late; it happened at T (binance.md §2)"),
    Explanation(("ccxt",), ("bybit",), "position side", lambda p: AS_ORDER[p.sent["S"]], "ours",
                "passes S on as an order side; it is the position's: Buy = a long was liquidated (bybit.md §2)"),
    Explanation(("tardis-dev", "ccxt"), ("bybit",), "coins", RAW, "ours",
                "gives an inverse contract's size, which is USD, as it is (bybit.md §2)", where=_inverse),
    Explanation(("tardis-dev", "ccxt"), ("okx",), "coins", RAW, "ours",
                "gives contracts as they are, without ctVal (okx.md §2)"),
    Explanation(("tardis-dev",), ("okx",), "liquidation", lambda _: "left out", "ours",
                "drops the first liquidation-orders message after each connect (okx.md §2)", where=lambda p: p.first),
    Explanation(("ccxt",), ("okx",), "liquidation", lambda _: "left out", "ours",
                "reads details[0] of each instrument only (okx.md §2)", where=lambda p: p.sent["nth"] > 0),
    Explanation(("ccxt",), ("binance", "bybit", "okx"), "USD", NONE, "ours",
                "publishes no value: its safe_liquidation is handed no market, so no contract size"),
    Explanation(("ccxt",), ("binance",), "funding rate", lambda _: 0.0, "ours",
                "reads a delivery contract's rate as zero; it pays none (binance.md §3)", where=_delivers, ours=NONE),
    Explanation(("ccxt",), ("binance",), "next funding", lambda _: 0, "ours",
                "a delivery contract has no next funding (binance.md §3)", where=_delivers, ours=NONE),
    Explanation(("cryptofeed",), ("bybit",), "next funding", lambda p: p.ours and p.ours * 1000, "ours",
                "leaves Bybit's milliseconds as they are where its unit is seconds"),
    Explanation(("cryptofeed",), ("bybit",), "time of the rate", lambda p: p.ours and p.ours * 1000, "ours",
                "leaves Bybit's milliseconds as they are where its unit is seconds"),
    Explanation(("cryptofeed",), ("okx",), "time of the rate", _time("fundingTime"), "ours",
                "gives fundingTime, when it will be settled, as the time of the message (okx.md §3)", ours=_time("ts")),
    Explanation(("tardis-dev",), ("okx",), "time of the rate", lambda p: p.theirs, "ours",
                "does not read ts: gives when the last mark price or open interest was, or when it arrived",
                ours=_time("ts")),
    Explanation(("ccxt",), ("okx",), "time of the rate", NONE, "ours", "does not read ts", ours=_time("ts")),
    Explanation(("cryptofeed",), ("okx",), "next funding", NONE, "ours", "leaves it empty",
                ours=_time("fundingTime")),
    Explanation(EVERY, ("binance", "bybit"), "mark price of a coin", lambda p: p.ours * _scale(p), "both",
                "of 1000PEPE as quoted; ours of one PEPE", where=_multiplied),
)  # fmt: skip


def explanation_of(pair: Pair) -> Explanation | None:
    """Return why a pair differs; None where that is not known, or not exactly so."""
    for known in KNOWN:
        fits = pair.client in known.clients and pair.venue in known.venues and pair.field == known.field
        if not fits or pair.ours == "left out" or not pair.sent or not known.where(pair):
            continue
        if same(known.says(pair), pair.theirs) and same(known.ours(pair), pair.ours):
            return known
    return None
