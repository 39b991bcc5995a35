"""Hyperliquid's contracts: BTC, kPEPE (a thousand PEPE), xyz:TSLA (another dex). @107 and PURR/USDC are spot."""

import re

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm

_FORM = re.compile(r"(?:(?P<dex>[a-z0-9]+):)?(?P<thousand>k(?=[A-Z]))?(?P<base>[A-Za-z0-9]+)")


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a name apart; None for another form. What a contract of another dex settles in is not in its name."""
    if (found := _FORM.fullmatch(symbol)) is None:
        return None
    settle = None if found["dex"] else "USDC"
    multiplier = 1000 if found["thousand"] else 1
    return SymbolForm(found["base"], "USD", settle, "linear", "perpetual", symbol, "", multiplier, 1.0)


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear, by the form; None of spot."""
    form = symbol_form(symbol)
    return form.contract if form else None
