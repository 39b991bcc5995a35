"""Deribit's liquidations, which are trades with a flag: frames to rows. Facts: exchanges/deribit.md §2.

`direction` is the taker's. The flag says whose side was liquidated: T the taker's, M the maker's, whose order is the
opposite, MT both: two liquidations, one long and one short. A trade gets its flag about an hour late: it comes without
one by the socket and with one from the history host; `trade_seq` makes the same liquidation one row. An amount is in
USD of inverse futures and in coins of linear ones.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, Position, Row, Side
from pipelines.venues.bounds import PRICE, QUANTITY, is_symbol, wrong_symbol
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.deribit.symbols import UNITS, contract_of
from pipelines.venues.wire import BAD, Held, bounded, each_raw, horizon_ms, moment, nothing, numbered, rejected

CHANNEL, AGAIN = "trades", "get_last_trades_by_instrument"
RULES = (
    Rule("deribit", AGAIN, START, "all", "deribit.md §2: every trade, with its flag", "rest"),
    Rule("deribit", CHANNEL, START, "partial", "deribit.md §2: when pushed, most have no flag yet", "ws"),
)
_classes = {"ws": completeness(RULES, CHANNEL), "rest": completeness(RULES, AGAIN, "rest")}
NONE = "trades, none of them a liquidation"
OPPOSITE: dict[Side, Side] = {"buy": "sell", "sell": "buy"}
CLOSED: dict[Side, Position] = {"sell": "long", "buy": "short"}


class _Trade(msgspec.Struct):
    instrument_name: str
    trade_seq: int
    timestamp: int
    direction: Literal["buy", "sell"]  # the taker's
    price: float
    amount: float
    liquidation: Literal["T", "M", "MT"]
    block_trade_id: str | None = None


class _Flag(msgspec.Struct):
    liquidation: str | None = None


class _Data(msgspec.Struct):
    data: Sequence[msgspec.Raw]


class _Push(msgspec.Struct):
    params: _Data


class _Trades(msgspec.Struct):
    trades: Sequence[msgspec.Raw]


class _Answer(msgspec.Struct):
    result: _Trades


_trade = msgspec.json.Decoder(_Trade).decode
_flag = msgspec.json.Decoder(_Flag).decode
_push = msgspec.json.Decoder(_Push).decode
_answer = msgspec.json.Decoder(_Answer).decode


def pushed(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the liquidations among the trades of a push."""
    return _read(frame, lambda payload: _push(payload).params.data)


def answered(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the liquidations among the trades of an answer."""
    return _read(frame, lambda payload: _answer(payload).result.trades)


def _read(frame: RawFrame, trades: Callable[[bytes], Sequence[msgspec.Raw]]) -> list[Row]:
    horizon, transport = horizon_ms(frame), frame.transport
    try:
        flagged = [item for item in trades(frame.payload) if _flag(item).liquidation]
    except BAD as error:
        return rejected(error)
    if not flagged:
        return nothing(NONE)
    return numbered(each_raw(flagged, _trade, lambda trade: _rows(trade, horizon, transport), "flagged"))


def _rows(trade: _Trade, horizon: int, transport: str) -> Iterable[Row]:
    symbol = trade.instrument_name
    if not is_symbol(symbol):
        raise ValueError(wrong_symbol(symbol))
    if contract_of(symbol) is None:
        return nothing(f"{symbol}: an option or a spread, not a future")
    if trade.block_trade_id:
        return nothing("a block trade, which is no liquidation")
    return list(_liquidations(trade, moment(trade.timestamp, horizon), transport))


def _liquidations(trade: _Trade, time: int, transport: str) -> Iterator[Row]:
    symbol, contract = trade.instrument_name, contract_of(trade.instrument_name)
    price, quantity = bounded(trade.price, PRICE), bounded(trade.amount, QUANTITY)
    unit = UNITS[contract] if contract else "unknown"
    orders = {"T": trade.direction, "M": OPPOSITE[trade.direction]}
    for whose in trade.liquidation:
        side: Side = orders[whose]
        yield Liquidation(
            symbol, time, side, CLOSED[side], price, "fill_average", quantity, unit, contract, _classes[transport](time),
            f"{symbol}|{trade.trade_seq}|{side}", id=f"{symbol}|{trade.trade_seq}",
        )  # fmt: skip
