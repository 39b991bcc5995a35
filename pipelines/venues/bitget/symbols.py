"""Bitget's symbols: BTCUSDT, BTCPERP (in USDC), BTCUSD and BTCUSD_CM (in the coin), with a month's letter where they end."""

import re

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm, one_coin

_FORM = re.compile(r"(?P<unit>[^_]+?)(?P<quote>USDT|USDC|PERP|USD)(?P<coin>_CM)?(?P<end>[FGHJKMNQUVXZ]\d\d)?")
CONTRACT_OF: dict[str, Contract] = {"usdt-futures": "linear", "usdc-futures": "linear", "coin-futures": "inverse"}
"""Linear or inverse, by the category in small letters."""


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a symbol apart; None for another form. The day on which a delivery ends is not in it, so it has no name of ours."""
    if (found := _FORM.fullmatch(symbol)) is None:
        return None
    base, multiplier = one_coin(found["unit"])
    quote = "USDC" if found["quote"] == "PERP" else found["quote"]
    inverse = quote == "USD"
    settle = None if found["end"] else base if inverse else quote
    return SymbolForm(
        base, quote, settle, "inverse" if inverse else "linear", "delivery" if found["end"] else "perpetual",
        f"{found['unit']}{quote}", "", multiplier,
    )  # fmt: skip


def contract_of(category: str, symbol: str) -> Contract | None:
    """Return linear or inverse: by the category, else by the symbol's form."""
    if found := CONTRACT_OF.get(category.lower()):
        return found
    form = symbol_form(symbol)
    return form.contract if form else None
