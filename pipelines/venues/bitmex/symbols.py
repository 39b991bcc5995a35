"""BitMEX' contracts by their names: XBTUSD, XBTM25 (inverse), XBTUSDT (linear), other XXXUSD (quanto), ETHU21 (in XBT).

Of most the name does not tell the kind: the list does, and the kind of a name has changed over the years.
"""

import re

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm, one_coin

_FORM = re.compile(
    r"(?P<unit>[A-Z0-9]+?)(?P<quote>USDT|USD)(?P<end>[FGHJKMNQUVXZ]\d\d)?|XBT(?P<inverse>[FGHJKMNQUVXZ]\d\d)"
)
COINS = {"XBT": "BTC"}
SIZE_OF_XBTUSDT = 1e-6
"""Coins in a contract of XBTUSDT (§2); of the other linear ones only the list tells."""


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a name apart; None for another form. A quanto contract is neither linear nor inverse: it settles in XBT."""
    if (found := _FORM.fullmatch(symbol)) is None:
        return None
    unit, quote = found["unit"] or "XBT", found["quote"] or "USD"
    base, multiplier = one_coin(COINS.get(unit, unit))
    is_over = bool(found["end"] or found["inverse"])
    kind, family = "delivery" if is_over else "perpetual", f"{unit}{quote}"
    if quote == "USDT":
        size = SIZE_OF_XBTUSDT if unit == "XBT" else None
        return SymbolForm(base, quote, None if is_over else quote, "linear", kind, family, "", multiplier, size)
    if base == "BTC":
        return SymbolForm(base, quote, None if is_over else base, "inverse", kind, family, "", multiplier, 1.0)
    return SymbolForm(base, quote, "BTC", None, kind, family, "", multiplier)


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear or inverse, by the name; None where it does not tell."""
    form = symbol_form(symbol)
    return form.contract if form else None
