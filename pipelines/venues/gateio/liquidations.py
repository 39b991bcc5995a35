"""Gate liquidations: frames to rows. Facts: exchanges/gateio-futures.md §2.

By REST `size` is the POSITION's, positive for a long: certain. The pushed `size` may be the order's or the position's; nobody
has shown which. So a pushed row has no side, says what was sent, and gets the side of the same one by REST where the two meet
(liquidation_reports). Only the pushed rows count: the same one by REST is in seconds, and would be counted twice.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, LiquidationReport, Row
from pipelines.venues.bounds import PRICE, QUANTITY, is_symbol, wrong_symbol
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.gateio.items import in_ms, read_items
from pipelines.venues.gateio.symbols import contract_of
from pipelines.venues.wire import Held, Text, bounded, horizon_ms, moment, nothing, number, numbered

RULES = (
    Rule("gateio", "public_liquidates", START, "undocumented", "gateio-futures.md §2: not public"),
    Rule(
        "gateio", "public_liquidates", datetime(2025, 2, 19, tzinfo=UTC), "one_per_second",
        "gateio-futures.md §2: at most one order of a contract and second",
    ),
    Rule(
        "gateio", "public_liquidates", datetime(2026, 8, 20, tzinfo=UTC), "all",
        "gateio-futures.md §2: all orders of about a second in one array",
    ),
)  # fmt: skip
"""What the feed carried of all liquidations, from when on."""
_complete = completeness(RULES, "public_liquidates")
NOT_PROVEN = "whose side the feed's sign is of is not proven"


class _Pushed(msgspec.Struct):
    contract: str
    size: Text  # contracts; the sign is the order's or the position's [?]
    price: Text  # the order's
    time_ms: int = 0
    time: int = 0


class _Reported(msgspec.Struct):
    contract: str
    time: int
    size: Text  # contracts of the position
    fill_price: Text
    order_price: Text
    left: Text = 0


_pushed = msgspec.json.Decoder(_Pushed).decode
_reported = msgspec.json.Decoder(_Reported).decode


def pushed(frame: RawFrame, _held: Held) -> list[Row]:
    """Return each pushed liquidation, its side left open."""
    horizon = horizon_ms(frame)
    return numbered(read_items(frame, _pushed, lambda _, item: _liquidation(item, horizon)))


def _liquidation(item: _Pushed, horizon: int) -> Iterable[Row]:
    symbol = _named(item.contract)
    time, price = moment(item.time_ms or in_ms(item.time), horizon), bounded(item.price, PRICE)
    quantity = bounded(abs(number(item.size)), QUANTITY)
    yield Liquidation(
        symbol, time, None, None, price, "order_limit", quantity, "contract", contract_of(symbol), _complete(time),
        f"{symbol}|{time}|{item.size}|{item.price}", unproven=f"{NOT_PROVEN}; sent {item.size}",
    )  # fmt: skip


def reported(frame: RawFrame, _held: Held) -> list[Row]:
    """Return each liquidation of an answer, as the second source has it; none where nothing of the order was filled."""
    horizon = horizon_ms(frame)
    return numbered(read_items(frame, _reported, lambda _, item: _report(item, horizon)))


def _report(item: _Reported, horizon: int) -> Iterable[Row]:
    symbol, size = _named(item.contract), number(item.size)
    filled = abs(size) - abs(number(item.left))
    if filled <= 0:
        return nothing("an order nothing of which was filled")
    time, price = moment(in_ms(item.time), horizon), bounded(item.fill_price, PRICE)
    side, position = ("sell", "long") if size > 0 else ("buy", "short")
    return [LiquidationReport(
        symbol, time, side, position, price, "fill_average", bounded(filled, QUANTITY), "contract",  # type: ignore[arg-type]
        contract_of(symbol), "undocumented", f"{symbol}|{item.time}|{item.size}|{item.fill_price}",
        order_price=bounded(item.order_price, PRICE),
    )]  # fmt: skip


def _named(symbol: str) -> str:
    if not is_symbol(symbol):
        raise ValueError(wrong_symbol(symbol))
    return symbol
