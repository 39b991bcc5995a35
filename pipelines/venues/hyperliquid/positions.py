"""Hyperliquid's positions of single accounts, with the price at which each would be liquidated: what a model can only estimate.

An answer does not say whose it is: the frame's symbol is the account that was asked for. `szi` is signed, coins.
`liquidationPx` is null where no price would liquidate the position; of a cross position it holds while the account's others
stay as they are. One position that cannot be read rejects the answer: without it the others would look like all there are.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import AccountPosition, Rejected, Row
from pipelines.venues.bounds import PRICE
from pipelines.venues.hyperliquid.symbols import contract_of
from pipelines.venues.wire import BAD, Held, bounded, horizon_ms, maybe, moment, number, plausible, rejected

ADDRESS = re.compile(r"0x[0-9a-f]{40}")
NONE = "*"
NOT_SAID = "whose account it is is not said"


class _Leverage(msgspec.Struct):
    type: str
    value: float


class _Position(msgspec.Struct):
    coin: str
    szi: str
    leverage: _Leverage
    entryPx: str | None = None
    positionValue: str | None = None
    liquidationPx: str | None = None


class _Held(msgspec.Struct):
    position: _Position


class _State(msgspec.Struct):
    assetPositions: Sequence[_Held]
    time: int


_state = msgspec.json.Decoder(_State).decode


def positions(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the positions of an account, or the row that says that it has none."""
    account = frame.symbol.lower()
    try:
        if not ADDRESS.fullmatch(account):
            raise ValueError(NOT_SAID)
        state = _state(frame.payload)
        time = moment(state.time, horizon_ms(frame))
        found = list(_read(state, account, time))
    except BAD as error:
        return rejected(error)
    rows = plausible(found or [AccountPosition(NONE, time, account, None, 0.0, "base", None)])
    return [row for row in rows if isinstance(row, Rejected)] or rows


def _read(state: _State, account: str, time: int) -> Iterator[AccountPosition]:
    for each in state.assetPositions:
        one, size = each.position, number(each.position.szi)
        if size:
            entry = None if one.entryPx is None else bounded(one.entryPx, PRICE)
            at = maybe(one.liquidationPx)
            at = at if at is not None and at > 0 else None
            yield AccountPosition(
                one.coin, time, account, "long" if size > 0 else "short", abs(size), "base", contract_of(one.coin), entry, at,
                maybe(one.positionValue), one.leverage.value, one.leverage.type,
            )  # fmt: skip
