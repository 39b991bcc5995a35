"""Bitfinex liquidations: frames to rows. Facts: exchanges/bitfinex.md §2.

A row is a trigger (IS_MATCH 0: the position is taken) or an execution (1: a part of it is traded). The trigger counts;
executions are kept apart as reports, for they are parts of it. AMOUNT is the POSITION's, positive a long.
PRICE_ACQUIRED is the price, and where it is not there none is: BASE_PRICE is the trader's entry and never read.
Positions on spot margin come, too, and are no derivatives.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, LiquidationReport, Row
from pipelines.venues.bitfinex.symbols import contract_of
from pipelines.venues.bounds import PRICE, QUANTITY, is_symbol, wrong_symbol
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.wire import (
    BAD,
    Held,
    Text,
    bounded,
    each,
    horizon_ms,
    moment,
    nothing,
    number,
    numbered,
    rejected,
)

RULES = (
    Rule(
        "bitfinex", "status-liq-global", START, "all", "bitfinex.md §2: all of the platform, no sampling is documented"
    ),
)
_complete = completeness(RULES, "status-liq-global")
POS, ID, MTS, SYMBOL, AMOUNT, IS_MATCH, ACQUIRED = 0, 1, 2, 4, 5, 8, 11
"""Where a row has what."""

_list = msgspec.json.Decoder(list[Any]).decode


def figure(value: Any) -> Text:
    """Return what a place of a row holds, where that is a number or a text. Raises ValueError."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return value
    raise ValueError(f"not as documented: {str(value)[:40]!r} where a number is")


def pushed(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the rows of a frame [channel's number, [row, …], …]."""
    try:
        found = _list(frame.payload)
    except BAD as error:
        return rejected(error)
    if len(found) < 2 or not isinstance(found[1], list):
        return rejected(ValueError("not as documented: no list of rows behind the channel's number"))
    return _rows(found[1], frame)


def answered(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the rows of an answer [[row], …]."""
    try:
        found = _list(frame.payload)
    except BAD as error:
        return rejected(error)
    rows = [row for inner in found for row in (inner if isinstance(inner, list) and inner[:1] != ["pos"] else [inner])]
    return _rows(rows, frame)


def _rows(rows: Sequence[Any], frame: RawFrame) -> list[Row]:
    horizon = horizon_ms(frame)
    return numbered(each(rows, lambda row: _liquidation(row, horizon), "rows"))


def _liquidation(row: Any, horizon: int) -> Iterable[Row]:
    if not isinstance(row, list) or row[:1] != ["pos"] or len(row) <= IS_MATCH:
        raise ValueError("not as documented: no row of a position")
    symbol, amount = str(row[SYMBOL]), number(figure(row[AMOUNT]))
    if not is_symbol(symbol):
        raise ValueError(wrong_symbol(symbol))
    if (contract := contract_of(symbol)) is None:
        return nothing(f"{symbol}: a margin position on spot, not a derivative")
    acquired = row[ACQUIRED] if len(row) > ACQUIRED else None
    time, quantity = moment(int(number(figure(row[MTS]))), horizon), bounded(abs(amount), QUANTITY)
    price = None if acquired is None else bounded(figure(acquired), PRICE)
    side, position = ("sell", "long") if amount > 0 else ("buy", "short")
    is_match = int(number(figure(row[IS_MATCH])))
    if is_match not in (0, 1):
        raise ValueError(f"IS_MATCH is {is_match}, neither trigger nor execution")
    kind, of_price = (LiquidationReport, "fill_average") if is_match else (Liquidation, "acquired")
    identity = f"{row[ID]}|{is_match}"
    return [kind(
        symbol, time, side, position, price, of_price, quantity, "base", contract, _complete(time), identity,  # type: ignore[arg-type]
        id=identity,
    )]  # fmt: skip
