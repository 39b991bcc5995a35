"""Hyperliquid's liquidations, which are fills of a node: lines to rows. Facts: exchanges/hyperliquid.md §2.

A trade is two fills, and both parties' have the object `liquidation`: a trade is one row, known by its `tid`, whichever
of the two is there. `side` is that of the user whose fill it is: of the liquidated user's own a sale (A) closed a long;
of the counterparty's it is the other way round. A position handed to a vault says in `dir` whose side it was.
Auto-deleveraging has the object, too, and is no liquidation: it is kept apart as a report. So are the fills of single
users: a sample must not be mixed with all.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, LiquidationReport, Position, Rejected, Row
from pipelines.venues.bounds import PRICE, QUANTITY, is_symbol, wrong_symbol
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.hyperliquid.symbols import contract_of
from pipelines.venues.wire import BAD, Held, bounded, horizon_ms, moment, nothing, reason, rejected

CHANNELS = ("node_fills_by_block", "node_fills")
RULES = tuple(
    Rule("hyperliquid", name, START, "all", "hyperliquid.md §2: every fill of every user") for name in CHANNELS
)
_complete = completeness(RULES, CHANNELS[0])
FLAG = b'"liquidation"'
NONE = "fills, none of them of a liquidation"
DELEVERAGED, HANDED_OVER, OPENED = "Auto-Deleveraging", "Liquidated ", "Open "
NOT_TOLD = "whose fill it is is not told, so the side is not proven"


class _Liquidated(msgspec.Struct):
    liquidatedUser: str
    method: str = ""


class _Fill(msgspec.Struct):
    coin: str
    px: str
    sz: str
    side: Literal["A", "B"]  # the user's whose fill it is: A sold, B bought
    time: int
    tid: int
    dir: str = ""
    liquidation: _Liquidated | None = None


class _Flagged(msgspec.Struct):
    liquidation: Any = None


class _Block(msgspec.Struct):
    events: Sequence[tuple[str, msgspec.Raw]]


class _Fills(msgspec.Struct):
    fills: Sequence[msgspec.Raw] = ()


class _User(msgspec.Struct):
    data: _Fills


_fill = msgspec.json.Decoder(_Fill).decode
_flagged = msgspec.json.Decoder(_Flagged).decode
_line = msgspec.json.Decoder(tuple[str, msgspec.Raw]).decode
_block = msgspec.json.Decoder(_Block).decode
_user = msgspec.json.Decoder(_User).decode


def by_block(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the liquidations of a node's line: one row a trade."""
    try:
        events = _block(frame.payload).events
    except BAD as error:
        return rejected(error)
    return _read(events, frame, is_all=True)


def of_line(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the liquidation of a line with a single fill, as nodes wrote them until July 2025 and still can."""
    try:
        return _read([_line(frame.payload)], frame, is_all=True)
    except BAD as error:
        return rejected(error)


def of_user(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the fills of a single user that were of a liquidation, as reports; the user is not named."""
    try:
        fills = _user(frame.payload).data.fills
    except BAD as error:
        return rejected(error)
    return _read([("", fill) for fill in fills], frame, is_all=False)


def _read(fills: Sequence[tuple[str, msgspec.Raw]], frame: RawFrame, is_all: bool) -> list[Row]:
    if FLAG not in frame.payload:  # of hundreds of lines one has a liquidation
        return nothing(NONE)
    horizon, rows, bad = horizon_ms(frame), dict[tuple[type, str], Row](), list[Row]()
    for index, (user, raw) in enumerate(fills):
        try:
            if _flagged(raw).liquidation is None:
                continue
            for row in _rows(user, _fill(raw), horizon, is_all):
                rows.setdefault((type(row), row.identity), row)
        except BAD as error:
            bad.append(Rejected(reason(error), f"fills[{index}]"))
    return [*rows.values(), *bad] or nothing(NONE)


def _rows(user: str, fill: _Fill, horizon: int, is_all: bool) -> Iterator[Liquidation]:
    if not is_symbol(fill.coin):
        raise ValueError(wrong_symbol(fill.coin))
    contract, time = contract_of(fill.coin), moment(fill.time, horizon)
    price, quantity = bounded(fill.px, PRICE), bounded(fill.sz, QUANTITY)
    is_deleveraged = fill.dir.startswith(DELEVERAGED)
    position = _deleveraged(fill) if is_deleveraged else _position(user, fill)
    order = None if position is None else "sell" if position == "long" else "buy"
    unproven = NOT_TOLD if position is None else None if contract else f"no perpetual; sent {fill.sz}"
    kind, identity = Liquidation if is_all and not is_deleveraged else LiquidationReport, f"{fill.coin}|{fill.tid}"
    yield kind(
        fill.coin, time, order, position, price, "fill_average", quantity, "base" if contract else "unknown",  # type: ignore[arg-type]
        contract, _complete(time) if is_all else "undocumented", identity, unproven=unproven, id=identity,
        status="auto-deleveraged" if is_deleveraged else fill.liquidation.method or None if fill.liquidation else None,
    )  # fmt: skip


def _position(user: str, fill: _Fill) -> Position | None:
    """Return which side was liquidated; None where it is not told whose fill it is."""
    last = fill.dir.rpartition(" ")[2].lower()
    if fill.dir.startswith(HANDED_OVER) and last in ("long", "short"):
        return "long" if last == "long" else "short"
    if not user and not fill.dir.startswith(OPENED):
        return None
    assert fill.liquidation is not None
    is_own = bool(user) and user.lower() == fill.liquidation.liquidatedUser.lower()
    return "long" if (fill.side == "A") == is_own else "short"


def _deleveraged(fill: _Fill) -> Position:
    """Return which side was closed: that of the user whose fill it is."""
    return "long" if fill.side == "A" else "short"
