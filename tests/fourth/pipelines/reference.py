"""Acme's contracts, and what a symbol such as BTC-PERP says by itself."""

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Instrument, Row
from pipelines.venues.symbols import SymbolForm
from pipelines.venues.wire import BAD, Held, nothing, rejected


class _Contracts(msgspec.Struct):
    contracts: list[dict[str, str]]


_contracts = msgspec.json.Decoder(_Contracts).decode


def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a symbol apart; None for another form."""
    base, _, end = symbol.partition("-")
    return SymbolForm(base, "USDT", "USDT", "linear", "perpetual", symbol) if base and end == "PERP" else None


def contracts(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the contracts of a list; all are perpetuals in coins, in USDT."""
    try:
        rows = [_instrument(each["symbol"]) for each in _contracts(frame.payload).contracts]
    except (*BAD, KeyError) as error:
        return rejected(error)
    return list(rows) or nothing("an empty list")


def _instrument(symbol: str) -> Instrument:
    if (form := symbol_form(symbol)) is None:
        raise ValueError(f"{symbol} is no contract of Acme's")
    return Instrument(
        symbol, f"{form.base}/USDT:USDT", form.base, "USDT", "USDT", "linear", "perpetual", 1.0, 1, "trading", symbol, True,
        "crypto", None, None,
    )  # fmt: skip
