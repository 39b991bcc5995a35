"""dYdX v4's liquidations, which are trades of a type: frames to rows. Facts: exchanges/dydx-v4.md §2.

`side` is the taker's, which is the liquidation order: SELL, a long was liquidated. One liquidation may give several
trades; each is a row, told apart by its id. What a first answer to a subscription or REST repeats is the same row. A
DELEVERAGED trade is no order in the book: a bankrupt position was closed against another trader's; it is kept apart as
a report and counted in no sum. The field `liquidation` was v3's and is not read.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, LiquidationReport, Row
from pipelines.venues.bounds import PRICE, QUANTITY, is_symbol, wrong_symbol
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.dydx.symbols import contract_of
from pipelines.venues.wire import (
    BAD,
    Held,
    bounded,
    each_raw,
    horizon_ms,
    moment,
    nothing,
    numbered,
    rejected,
    symbol_of,
)  # fmt: skip

RULES = (
    Rule("dydx", "trades", START, "all", "dydx-v4.md §2: every trade of a liquidation order", "rest"),
    Rule("dydx", "v4_trades", START, "all", "dydx-v4.md §2: every trade of a liquidation order"),
)
_complete = completeness(RULES, "v4_trades")
LIQUIDATED, DELEVERAGED = "LIQUIDATED", "DELEVERAGED"
NONE = "trades, none of them a liquidation"


class _Trade(msgspec.Struct):
    id: str
    size: str
    price: str
    side: Literal["BUY", "SELL"]
    createdAt: datetime
    type: str


class _Kind(msgspec.Struct):
    type: str = ""


class _Contents(msgspec.Struct):
    trades: Sequence[msgspec.Raw] = ()


class _Push(msgspec.Struct):
    contents: _Contents | Sequence[_Contents]
    id: str = ""


_trade = msgspec.json.Decoder(_Trade).decode
_kind = msgspec.json.Decoder(_Kind).decode
_push = msgspec.json.Decoder(_Push).decode
_contents = msgspec.json.Decoder(_Contents).decode

Found = tuple[str, Sequence[msgspec.Raw]]
"""A market, and its trades."""


def pushed(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the liquidations of a push, or of the first answer to a subscription."""

    def find() -> Found:
        found = _push(frame.payload)
        several = [found.contents] if isinstance(found.contents, _Contents) else found.contents
        return found.id, [trade for contents in several for trade in contents.trades]

    return _read(frame, find)


def answered(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the liquidations of an answer, of the market that was asked for."""
    return _read(frame, lambda: (symbol_of(frame), _contents(frame.payload).trades))


def _read(frame: RawFrame, find: Callable[[], Found]) -> list[Row]:
    horizon = horizon_ms(frame)
    try:
        symbol, trades = find()
        flagged = [trade for trade in trades if _kind(trade).type in (LIQUIDATED, DELEVERAGED)]
        if flagged and not is_symbol(symbol):
            raise ValueError(wrong_symbol(symbol))
    except BAD as error:
        return rejected(error)
    if not flagged:
        return nothing(NONE)
    return numbered(each_raw(flagged, _trade, lambda trade: _row(symbol, trade, horizon), "flagged"))


def _row(symbol: str, trade: _Trade, horizon: int) -> Iterable[Row]:
    time = moment(round(trade.createdAt.timestamp() * 1000), horizon)
    price, quantity, contract = bounded(trade.price, PRICE), bounded(trade.size, QUANTITY), contract_of(symbol)
    side, position = ("sell", "long") if trade.side == "SELL" else ("buy", "short")
    is_order = trade.type == LIQUIDATED
    kind, price_kind = (Liquidation, "fill_average") if is_order else (LiquidationReport, "bankruptcy")
    identity = f"{symbol}|{trade.id}"
    yield kind(
        symbol, time, side, position, price, price_kind, quantity, "base" if contract else "unknown",  # type: ignore[arg-type]
        contract, _complete(time), identity, status=None if is_order else "deleveraged", id=identity,
        unproven=None if contract else f"a market of no known form: the unit is not known; sent {quantity}",
    )  # fmt: skip
