"""Lighter's liquidations, which come beside a market's trades in a list of their own: frames to rows.

The liquidated account is the taker of a liquidation: where the maker sold, the taker bought, and a short was liquidated. Where
`taker_position_size_before` says otherwise the side is left open. A deleveraging closes a position against another account;
whose side the fields then are is not documented, so it is kept apart as a report without a side. What a subscription begins
with repeats the latest, which is known by their numbers.
"""

from collections.abc import Iterable, Sequence

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, LiquidationReport, Position, Row
from pipelines.venues.bounds import PRICE, QUANTITY
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.lighter.symbols import contract_of
from pipelines.venues.wire import BAD, Held, bounded, each_raw, horizon_ms, maybe, moment, nothing, numbered, rejected

RULES = (Rule("lighter", "trade", START, "all", "lighter/README.md: every trade of a liquidation order"),)
_complete = completeness(RULES, "trade")
LIQUIDATION, DELEVERAGE = "liquidation", "deleverage"
NONE = "trades, none of them forced"
CONTRADICTS = "taker_position_size_before contradicts is_maker_ask"
NOT_TOLD = "whose side a deleveraging tells is not documented"
SECONDS_BELOW = 100_000_000_000
"""Times were in seconds until 2025."""


class _Trade(msgspec.Struct):
    trade_id: int
    market_id: int
    size: str
    price: str
    is_maker_ask: bool
    timestamp: int
    type: str
    taker_position_size_before: str | None = None


class _Kind(msgspec.Struct):
    type: str = ""


class _Push(msgspec.Struct):
    trades: Sequence[msgspec.Raw] | None = None
    liquidation_trades: Sequence[msgspec.Raw] | None = None


_trade = msgspec.json.Decoder(_Trade).decode
_kind = msgspec.json.Decoder(_Kind).decode
_push = msgspec.json.Decoder(_Push).decode


def pushed(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the forced trades of a push, or of the first answer to a subscription: each is a row."""
    horizon = horizon_ms(frame)
    try:
        found = _push(frame.payload)
        every = [*(found.liquidation_trades or ()), *(found.trades or ())]
        forced = [trade for trade in every if _kind(trade).type in (LIQUIDATION, DELEVERAGE)]
    except BAD as error:
        return rejected(error)
    if not forced:
        return nothing(NONE)
    return numbered(each_raw(forced, _trade, lambda trade: _row(trade, horizon), "forced"))


def _row(trade: _Trade, horizon: int) -> Iterable[Row]:
    symbol = str(trade.market_id)
    at = trade.timestamp * 1000 if trade.timestamp < SECONDS_BELOW else trade.timestamp
    time, contract = moment(at, horizon), contract_of(symbol)
    price, quantity = bounded(trade.price, PRICE), bounded(trade.size, QUANTITY)
    is_order = trade.type == LIQUIDATION
    position, unproven = _position(trade) if is_order else (None, NOT_TOLD)
    order = None if position is None else "sell" if position == "long" else "buy"
    if contract is None:
        unproven = f"no perpetual; sent {trade.size}"
    identity = f"{symbol}|{trade.trade_id}"
    kind = Liquidation if is_order else LiquidationReport
    yield kind(
        symbol, time, order, position, price, "fill_average", quantity, "base" if contract else "unknown",  # type: ignore[arg-type]
        contract, _complete(time), identity, status=None if is_order else "deleveraged", id=identity, unproven=unproven,
    )  # fmt: skip


def _position(trade: _Trade) -> tuple[Position | None, str | None]:
    """Return whose position was closed, and why that is left open."""
    position: Position = "short" if trade.is_maker_ask else "long"
    before = maybe(trade.taker_position_size_before)
    if before and (before > 0) != (position == "long"):
        return None, CONTRADICTS
    return position, None
