"""OKX liquidations: frames to rows. Facts: exchanges/okx.md §2.

`data[]` is per instrument and each has `details[]`. posSide says whose position it was; in net mode the order's side is its
opposite; where the two contradict, the item is a dead letter. Sizes are contracts.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Literal

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Liquidation, Nothing, Position, Rejected, Row
from pipelines.venues.bounds import (
    CHEAPEST,
    DEAREST,
    EARLIEST_MS,
    LEAST,
    MOST,
    PRICE,
    QUANTITY,
    is_symbol,
    wrong_symbol,
)
from pipelines.venues.completeness import START, Rule, completeness
from pipelines.venues.okx.items import DERIVATIVES, Arg, not_kept, refused
from pipelines.venues.okx.symbols import contract_of
from pipelines.venues.wire import (
    BAD,
    Held,
    bounded,
    horizon_ms,
    moment,
    nothing,
    numbered,
    reason,
    rejected,
)  # fmt: skip

CHANNEL = "liquidation-orders"
RULES = (
    Rule(
        "okx",
        CHANNEL,
        START,
        "undocumented",
        "okx.md §2: no page on it since 2023; up to 25 a second were seen",
        "rest",
    ),
    Rule("okx", CHANNEL, START, "one_per_second", "okx.md §2: from 2023-03-30 until spring 2026", "ws"),
    Rule("okx", CHANNEL, datetime(2026, 5, 27, tzinfo=UTC), "partial", "okx.md §2: cap no longer documented", "ws"),
)
"""What the feed carries of all liquidations, from when on: by transport, as the cap was the push's alone."""
_PUSHED, _ASKED = completeness(RULES, CHANNEL), completeness(RULES, CHANNEL, "rest")
ClassAt = Callable[[int], str]
POSITIONS: dict[tuple[str, str], Position] = {
    ("buy", "short"): "short",
    ("sell", "long"): "long",
    ("buy", "net"): "short",
    ("sell", "net"): "long",
}


class _Detail(msgspec.Struct, gc=False):
    side: Literal["buy", "sell"]  # of the liquidation order
    posSide: Literal["long", "short", "net"]
    bkPx: str  # documented as bankruptcy price until mid-2026, since as liquidation mark price [?]
    sz: str  # contracts
    ts: str


class _Instrument(msgspec.Struct, gc=False):
    instId: str
    instType: str
    details: tuple[_Detail, ...]


class Message(msgspec.Struct, gc=False):
    """A `liquidation-orders` frame."""

    data: tuple[_Instrument, ...]


class _LooseInstrument(msgspec.Struct):
    instId: str
    details: list[msgspec.Raw]
    instType: str = ""


class _LooseMessage(msgspec.Struct):
    data: list[msgspec.Raw]
    arg: Arg | None = None


decode = msgspec.json.Decoder(Message).decode
_loose_message = msgspec.json.Decoder(_LooseMessage).decode
_loose_instrument = msgspec.json.Decoder(_LooseInstrument).decode
_detail = msgspec.json.Decoder(_Detail).decode


def liquidations(frame: RawFrame, held: Held) -> list[Row]:
    """Return each liquidation of a liquidation-orders frame, in its order; they may be late and out of order."""
    return _read(frame, _PUSHED)


def _read(frame: RawFrame, of: ClassAt) -> list[Row]:
    horizon = horizon_ms(frame)
    rows: list[Row] = []
    try:
        for instrument in decode(frame.payload).data:
            if instrument.instType not in DERIVATIVES:
                return _one_by_one(frame.payload, horizon, of)
            for detail in instrument.details:
                rows.append(_liquidation(instrument.instId, detail, horizon, of))
    except BAD:
        return _one_by_one(frame.payload, horizon, of)
    return numbered(rows) if len(rows) > 1 else rows or nothing("an empty list")


def answers(frame: RawFrame, held: Held) -> list[Row]:
    """Return the liquidations of an answer to GET /public/liquidation-orders: items as in the push, instruments of one type."""
    return refused(frame.payload) or _read(frame, _ASKED)


def _one_by_one(payload: bytes, horizon: int, of: ClassAt) -> list[Row]:
    try:
        message = _loose_message(payload)
    except BAD as error:
        return rejected(error)
    arg = message.arg or Arg()
    rows = [
        row for index, item in enumerate(message.data) for row in _details(item, arg, f"data[{index}]", horizon, of)
    ]
    told = [row for row in rows if not isinstance(row, Nothing)]
    return numbered(told) or rows[:1] or nothing("an empty list")


def _details(item: msgspec.Raw, arg: Arg, place: str, horizon: int, of: ClassAt) -> Iterator[Row]:
    try:
        instrument = _loose_instrument(item)
    except BAD as error:
        yield Rejected(reason(error), place)
        return
    if why := not_kept("liquidations", instrument.instType or arg.instType, instrument.instId):
        yield from nothing(why)
        return
    for index, raw in enumerate(instrument.details):
        try:
            yield _liquidation(instrument.instId, _detail(raw), horizon, of)
        except BAD as error:
            yield Rejected(reason(error), f"{place}.details[{index}]")


def _liquidation(symbol: str, detail: _Detail, horizon: int, of: ClassAt) -> Liquidation:
    side, size, price, ts = detail.side, detail.sz, detail.bkPx, detail.ts
    time, qty, px = int(ts), float(size), float(price)
    if not (
        EARLIEST_MS <= time <= horizon and LEAST <= qty <= MOST and CHEAPEST <= px <= DEAREST and is_symbol(symbol)
    ):
        moment(ts, horizon)
        bounded(size, QUANTITY)
        bounded(price, PRICE)
        raise ValueError(wrong_symbol(symbol))
    if (position := POSITIONS.get((side, detail.posSide))) is None:
        raise ValueError(f"side {side} contradicts posSide {detail.posSide}")
    return Liquidation(
        symbol, time, side, position, px, "okx_bkPx", qty, "contract", contract_of(symbol), of(time),
        f"{symbol}|{detail.posSide}|{side}|{size}|{price}|{ts}",
    )  # fmt: skip
