"""Every known difference of the further venues: what the other one says instead, and why that is not what happened.

`says` gives their value from what the venue sent, so a difference is explained only where it is exactly that one. Ours is
held against what was sent, and that against the market (compare.expected, compare.lost).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from collectors.simulator.contracts import Contract
from tests.foreign.compare import same
from tests.foreign.further.compare import LEFT_OUT, READ, Pair
from tests.foreign.further.sent import LONG

OPPOSITE = {"long": "short", "short": "long"}
TARDIS, CCXT, CRYPTOFEED, CRYPTOFEED_3 = "tardis-dev", "ccxt", "cryptofeed", "cryptofeed 3"


class Explanation(NamedTuple):
    """`right`: ours, theirs, or both (another spelling or unit)."""

    clients: tuple[str, ...]
    venue: str
    field: str
    says: Callable[[Pair], Any]
    right: str
    why: str
    where: Callable[[Pair], bool] = lambda _: True


def _inverse(pair: Pair) -> bool:
    return pair.contract.inverse


def _multiplied(pair: Pair) -> bool:
    return pair.contract.scale > 1


def _executed(pair: Pair) -> bool:
    return not pair.sent.counts


def _units(pair: Pair) -> float:
    return pair.sent.units


def _alias(contract: Contract) -> str:
    return f"{contract.coin.name}_CQ"


KNOWN = (
    Explanation((TARDIS, CRYPTOFEED), "bitmex", "coins", lambda p: p.sent.item["inserted"], "ours",
                "gives contracts as they are, and of an order that is enlarged what it was inserted with (bitmex.md §2)"),
    Explanation((TARDIS, CRYPTOFEED_3), "deribit", "coins", _units, "ours",
                "gives an inverse contract's amount, which is USD, as it is (deribit.md §2)", _inverse),
    Explanation((CRYPTOFEED_3,), "deribit", "position side", lambda p: LONG[p.sent.item["direction"]], "ours",
                "passes on the taker's direction; flag M: the maker was liquidated, who is the other side (deribit.md §2)",
                lambda p: p.sent.item["liquidation"] == "M"),
    Explanation((TARDIS,), "bitfinex", "symbol", lambda p: p.sent.symbol.removeprefix("t"), "both",
                "without Bitfinex' t before a pair"),
    Explanation((TARDIS,), "bitfinex", "price of a coin", lambda p: p.sent.item["entry"], "ours",
                "gives the price at which the position was opened; it was taken over at the last field (bitfinex.md §2)"),
    Explanation((TARDIS,), "bitfinex", "liquidation", lambda _: LEFT_OUT, "both",
                "leaves out executions; ours in a table apart: neither counts them (bitfinex.md §2)", _executed),
    Explanation((TARDIS,), "kraken", "coins", _units, "ours",
                "gives an inverse contract's quantity, which is USD, as it is (kraken-futures.md §2)", _inverse),
    Explanation((TARDIS,), "htx", "coins", _units, "ours",
                "gives volume, which is contracts, as it is; coins are amount, or contracts x size / price (htx.md §2)"),
    Explanation((TARDIS,), "htx", "symbol", lambda p: _alias(p.contract), "both",
                "names a contract that is delivered by its place in the calendar", lambda p: p.contract.market == "delivery"),
    Explanation((CCXT,), "lighter", "price of a coin", lambda p: p.sent.price, "both",
                "of 1000PEPE as quoted; ours of one PEPE", _multiplied),
    Explanation((CCXT,), "lighter", "coins", _units, "both", "counts 1000PEPE; ours PEPE", _multiplied),
    Explanation((CCXT,), "gateio", "position side", lambda p: OPPOSITE[p.sent.position], "ours",
                "takes the sign of a size for an order's; it is the position's: 600 is a long (gateio-futures.md §2)"),
    Explanation((CCXT,), "gateio", "coins", _units, "ours",
                "counts an inverse contract, which is one USD, as a coin (gateio-futures.md §2)", _inverse),
    Explanation((CCXT,), "gateio", "USD", lambda p: p.sent.units * p.sent.price, "ours",
                "multiplies the dollars of an inverse contract by its price", _inverse),
    Explanation((CCXT,), "htx", "coins", lambda _: None, "ours", "has none where HTX sends none: contracts x size / price",
                _inverse),
    Explanation((CCXT,), "htx", "USD", lambda _: None, "ours", "has none where HTX sends none: contracts x size", _inverse),
    Explanation((CCXT,), "bitfinex", "liquidation", lambda _: READ, "ours",
                "counts an execution beside the trigger that it is a part of (bitfinex.md §2)", _executed),
    Explanation((CCXT,), "bitfinex", "position side", lambda p: "long" if p.sent.counts else "short", "ours",
                "takes IS_MATCH for the side, so every trigger is a long's; it is the sign of AMOUNT (bitfinex.md §2)"),
)  # fmt: skip


class Unheard(NamedTuple):
    """Of what `markets` of a venue a client is sent nothing, and why; `error`: what its requests are answered with, if told."""

    client: str
    venue: str
    markets: tuple[str, ...]
    why: str
    error: str = ""


UNHEARD = (
    Unheard(CCXT, "htx", ("linear",),
            "linear: asks version 5 of HTX' API, announced to replace the one that we ask; it is not simulated",
            "/v5/market/liquidation_orders"),
    Unheard(CCXT, "htx", ("delivery",), "delivery: asks by contract where HTX wants the coin (htx.md §2)"),
)  # fmt: skip
UNREAD = {
    "aster": "whoever has its market data leaves these out",
    "bitget": "whoever has its market data leaves these out",
    "coinex": "none of the three knows the venue",
    "cryptocom": "publishes no liquidations",
    "hyperliquid": "publishes none but in a node's files; the clients read an account's own",
    "kucoin": "publishes no liquidations",
}
"""The venues of which no client reads the market's liquidations."""


def explanation_of(pair: Pair) -> Explanation | None:
    """Return why a pair differs; None where that is not known, or not exactly so."""
    for known in KNOWN:
        fits = pair.client in known.clients and (pair.venue, pair.field) == (known.venue, known.field)
        if fits and pair.ours != LEFT_OUT and known.where(pair) and same(known.says(pair), pair.theirs):
            return known
    return None
