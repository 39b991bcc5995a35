"""Bitget's contracts. Facts: exchanges/bitget.md §4: sizes are in the coin, there is no contract multiplier."""

from collections.abc import Iterable

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Instrument, Row
from pipelines.venues.bitget.market import read
from pipelines.venues.bitget.symbols import CONTRACT_OF
from pipelines.venues.symbols import one_coin, unified, yymmdd
from pipelines.venues.wire import Held, later, maybe, nothing


class _Listed(msgspec.Struct):
    symbol: str
    category: str
    baseCoin: str
    quoteCoin: str
    type: str
    status: str = ""
    deliveryTime: str = ""
    launchTime: str = ""
    fundInterval: str = ""
    isRwa: str = ""
    symbolType: str = "crypto"


_listed = msgspec.json.Decoder(_Listed).decode


def instruments(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the contracts of a category; spot pairs carry none."""
    return read(frame, _listed, lambda _found, _time, item: _contract(item))


def _contract(item: _Listed) -> Iterable[Row]:
    if (contract := CONTRACT_OF.get(item.category.lower())) is None:
        return nothing(f"{item.category}: not a derivative kept here")
    if not item.baseCoin or not item.quoteCoin:
        raise ValueError(f"a contract without coins: {item.symbol}")
    base, multiplier = one_coin(item.baseCoin)
    settle = base if contract == "inverse" else item.quoteCoin
    perpetual, expires = item.type == "perpetual", later(item.deliveryTime or None)
    if not perpetual and expires is None:
        raise ValueError(f"{item.symbol}, {item.type}, without deliveryTime")
    expiry = yymmdd(expires) if expires and not perpetual else ""
    asset = "rwa" if item.isRwa == "YES" else item.symbolType or "crypto"
    return (
        Instrument(
            item.symbol, unified(base, item.quoteCoin, settle, expiry), base, item.quoteCoin, settle, contract,
            "perpetual" if perpetual else "delivery", 1.0, multiplier, item.status, f"{item.baseCoin}{item.quoteCoin}",
            perpetual, asset, later(item.launchTime if item.launchTime != "0" else None), expires,
            maybe(item.fundInterval) if perpetual else None,
        ),
    )  # fmt: skip
