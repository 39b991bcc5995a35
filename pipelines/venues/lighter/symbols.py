"""Lighter's markets: numbers, which do not say of what. Perpetuals are those below 2048; the list has their coins."""

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm

SPOT = 2048
"""The first number of a spot market."""


def symbol_form(_symbol: str) -> SymbolForm | None:
    """Return None: a number says nothing of its coin."""
    return None


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear for a perpetual's number; None of others."""
    return "linear" if symbol.isdecimal() and symbol.isascii() and int(symbol) < SPOT else None
