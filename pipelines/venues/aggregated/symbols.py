"""Symbols of vendors: a coin (BTC), or a contract of one venue with the vendor's letter for it (BTCUSDT_PERP.A)."""

import re

from pipelines.venues.symbols import DOLLARS, SymbolForm

_CONTRACT = re.compile(rf"(?P<base>[A-Z0-9]+?)(?P<quote>{'|'.join(sorted(DOLLARS, key=len, reverse=True))})_PERP\.\w+")


def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a symbol apart; of neither form the contract is known, as one row may stand for several."""
    if found := _CONTRACT.fullmatch(symbol):
        return SymbolForm(found["base"], found["quote"], None, None, None, symbol)
    return SymbolForm(symbol.upper(), "", None, None, None, symbol) if symbol.isalnum() else None
