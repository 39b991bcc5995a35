"""Bitfinex's state and contracts. Facts: exchanges/bitfinex.md §3.

A pushed status does not name its contract: the acknowledgement of its channel did. An answer puts the contract first, so every
index is one higher.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, Instrument, Kline, MarkPrice, OpenInterest, Row
from pipelines.venues.bitfinex.liquidations import figure
from pipelines.venues.bitfinex.symbols import contract_of, symbol_form
from pipelines.venues.symbols import unified
from pipelines.venues.wire import (
    BAD,
    Held,
    each,
    horizon_ms,
    later,
    moment,
    not_negative,
    nothing,
    number,
    parameter,
    plausible,
    rejected,
    symbol_of,
)  # fmt: skip

VOLUME = 5
"""Where a candle has it."""
MTS, SPOT, DUE, CURRENT, MARK, INTEREST = 0, 3, 7, 11, 14, 17
INTERVAL_HOURS = 8.0
LENGTHS = {"1D": "1d"}
"""Names of lengths that are not ours."""
TESTS = "TEST"
CONTROL = "greeting, acknowledgement, error reply or heartbeat"

_list = msgspec.json.Decoder(list[Any]).decode
_pairs = msgspec.json.Decoder(list[list[str]]).decode


class _Subscribed(msgspec.Struct):
    event: str = ""
    key: str = ""
    chanId: int = 0


_subscribed = msgspec.json.Decoder(_Subscribed).decode


def control(frame: RawFrame, held: Held) -> list[Row]:
    """Note of which contract a channel's number is, where an acknowledgement says so; it carries no row."""
    if frame.payload.lstrip()[:1] == b"{":
        try:
            found = _subscribed(frame.payload)
        except BAD:
            return nothing(CONTROL)
        if found.event == "subscribed" and found.key.startswith("deriv:"):
            held[frame.session, f"channel {found.chanId}"] = found.key.removeprefix("deriv:")
    return nothing(CONTROL)


def pushed(frame: RawFrame, held: Held) -> list[Row]:
    """Return the state of a pushed status, of the contract that its channel was acknowledged for."""
    try:
        found = _list(frame.payload)
        if len(found) < 2:
            raise ValueError("not as documented: no status behind the channel's number")
        number_of, status = found[:2]
        symbol = held.get((frame.session, f"channel {number_of}"))
        if symbol is None:
            return nothing("a status of a channel whose acknowledgement was not seen: of which contract is not known")
        return plausible(_state(symbol, status, horizon_ms(frame))) or nothing("a status without state")
    except BAD as error:
        return rejected(error)


def answered(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the state of every contract of an answer."""
    try:
        rows = _list(frame.payload)
    except BAD as error:
        return rejected(error)
    horizon = horizon_ms(frame)

    def read(row: Any) -> Iterable[Row]:
        if not isinstance(row, list) or len(row) < 2 or not isinstance(row[0], str):
            raise ValueError("not as documented: no status of a contract")
        if contract_of(row[0]) is None:
            return nothing("a key that is no contract's")
        return list(_state(row[0], row[1:], horizon)) or nothing("a status without state")

    return each(rows, read, "rows")


def _state(symbol: str, status: Sequence[Any], horizon: int) -> Iterator[Row]:
    if not isinstance(status, list) or not status:
        raise ValueError("not as documented: no status")
    time = moment(int(number(figure(_at(status, MTS) or 0))), horizon)
    mark, index = _at(status, MARK), _at(status, SPOT)
    if mark or index:
        yield MarkPrice(symbol, time, number(figure(mark)) if mark else None, number(figure(index)) if index else None)
    if (current := _at(status, CURRENT)) is not None:
        due = later(int(number(figure(_at(status, DUE) or 0))))
        yield FundingRate(symbol, time, number(figure(current)), due, INTERVAL_HOURS)
    if (interest := _at(status, INTEREST)) is not None:
        coins = not_negative(figure(interest), "open interest")
        yield OpenInterest(symbol, time, coins, "base", "undocumented", contract_of(symbol))


def _at(status: Sequence[Any], index: int) -> Any:
    return status[index] if len(status) > index else None


def candles(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the candles of an answer, of the contract and length that were asked for: open, close, high, low."""
    try:
        items, symbol, length = _list(frame.payload), symbol_of(frame), parameter(frame)
        if length is None:
            raise ValueError("the answer does not say how long its candles are, and the record neither")
    except BAD as error:
        return rejected(error)
    horizon = horizon_ms(frame)

    def read(item: Any) -> Iterable[Row]:
        if not isinstance(item, list) or len(item) < VOLUME + 1:
            raise ValueError("not as documented: no candle")
        time, opened, closed, high, low, volume = (number(figure(cell)) for cell in item[: VOLUME + 1])
        return [Kline(
            symbol, moment(int(time), horizon), LENGTHS.get(length, length), "trade", opened, high, low, closed,
            volume_base=not_negative(volume, "volume"),
        )]  # fmt: skip

    return each(items, read, "candles")


def contracts(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the perpetuals of a list of pairs; those for tests are none."""
    try:
        pairs = [pair for found in _pairs(frame.payload) for pair in found]
    except BAD as error:
        return rejected(error)
    return each(pairs, _instrument, "pairs")


def _instrument(pair: str) -> Iterable[Row]:
    symbol = f"t{pair}"
    form = symbol_form(symbol)
    if pair.startswith(TESTS):
        return nothing("a contract for tests")
    if form is None or form.contract is None or form.settle is None:
        raise ValueError(f"a contract whose name is of no known form: {pair[:60]!r}")
    return [Instrument(
        symbol, unified(form.base, form.quote, form.settle), form.base, form.quote, form.settle, form.contract, "perpetual",
        1.0, form.multiplier, "listed", form.family, True, interval_hours=INTERVAL_HOURS,
    )]  # fmt: skip
