"""Kraken's liquidations, which are trades with a flag: frames to rows. Facts: exchanges/kraken-futures.md §2.

`side` is the taker's, which is the liquidation order: sell, a long was liquidated. One liquidation may give several trades;
each is a row, told apart by `uid` (by product and `seq` where there is none, in 2019). A quantity is in USD of inverse products
and in coins of linear ones: it is divided by the price of the first alone. A snapshot, and an answer of REST, repeats trades
that are known.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, Row
from pipelines.venues.bounds import PRICE, QUANTITY, is_symbol, wrong_symbol
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.kraken.symbols import contract_of
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
)

RULES = (
    Rule("kraken", "history", START, "all", "kraken-futures.md §2: every trade of a liquidation order", "rest"),
    Rule("kraken", "trade", START, "all", "kraken-futures.md §2: every trade of a liquidation order"),
)
_complete = completeness(RULES, "trade")
FLAG = "liquidation"
NONE = "trades, none of them a liquidation"


class _Trade(msgspec.Struct):
    product_id: str
    side: str  # the taker's: "buy" or "sell"
    type: str
    seq: int
    time: int
    qty: float
    price: float
    uid: str = ""


class _Kind(msgspec.Struct):
    type: str = ""


class _Snapshot(msgspec.Struct):
    trades: Sequence[msgspec.Raw] | None = None


class _Old(msgspec.Struct):
    time: datetime
    trade_id: int
    side: str
    type: str
    size: float
    price: float
    uid: str = ""


class _History(msgspec.Struct):
    history: Sequence[msgspec.Raw]


_old = msgspec.json.Decoder(_Old).decode
_history = msgspec.json.Decoder(_History).decode
_trade = msgspec.json.Decoder(_Trade).decode
_kind = msgspec.json.Decoder(_Kind).decode
_snapshot = msgspec.json.Decoder(_Snapshot).decode


def trades(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the trades of a frame that are liquidations; a snapshot has up to a hundred of one product."""
    horizon = horizon_ms(frame)
    try:
        listed = _snapshot(frame.payload).trades
        items = [msgspec.Raw(frame.payload)] if listed is None else listed
        flagged = [item for item in items if _kind(item).type == FLAG]
    except BAD as error:
        return rejected(error)
    if not flagged:
        return nothing(NONE)
    return numbered(each_raw(flagged, _trade, lambda trade: _liquidation(trade, horizon), "trades"))


def answered(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the trades of an answer that are liquidations, of the product that was asked for: the rows that a feed brings."""
    horizon = horizon_ms(frame)
    try:
        flagged = [item for item in _history(frame.payload).history if _kind(item).type == FLAG]
        symbol = symbol_of(frame) if flagged else ""
    except BAD as error:
        return rejected(error)

    def read(old: _Old) -> Iterable[Row]:
        if not old.uid:
            raise ValueError("a trade without uid: whether a feed brought it too is not known")
        time = round(old.time.timestamp() * 1000)
        return _liquidation(_Trade(symbol, old.side, old.type, 0, time, old.size, old.price, old.uid), horizon)

    return numbered(each_raw(flagged, _old, read, "flagged")) if flagged else nothing(NONE)


def _liquidation(trade: _Trade, horizon: int) -> Iterable[Row]:
    symbol = trade.product_id
    if not is_symbol(symbol):
        raise ValueError(wrong_symbol(symbol))
    if trade.side not in ("buy", "sell"):
        raise ValueError(f"side is {trade.side[:20]!r}, neither buy nor sell")
    time, price, quantity = moment(trade.time, horizon), bounded(trade.price, PRICE), bounded(trade.qty, QUANTITY)
    contract = contract_of(symbol)
    side, position = ("sell", "long") if trade.side == "sell" else ("buy", "short")
    yield Liquidation(
        symbol, time, side, position, price, "fill_average", quantity,  # type: ignore[arg-type]
        "usd" if contract == "inverse" else "base" if contract == "linear" else "unknown", contract, _complete(time),
        f"{symbol}|{trade.uid or trade.seq}", id=trade.uid or f"{symbol}|{trade.seq}",
        unproven=None if contract else f"a product of no known form: the unit is not known; sent {trade.qty}",
    )  # fmt: skip
