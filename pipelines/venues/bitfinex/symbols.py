"""Bitfinex's contracts: tBTCF0:USTF0 is BTC in USDT, perpetual and linear; what has no F0 is a pair on spot."""

import re

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm, one_coin

_FORM = re.compile(r"t?(?P<base>[A-Z0-9]+)F0:(?P<quote>[A-Z0-9]+)F0")
COINS = {"UST": "USDT", "DOG": "DOGE", "XAUT": "XAUT"}


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a contract's name apart; None for another form."""
    if (found := _FORM.fullmatch(symbol)) is None:
        return None
    (base, multiplier), quote = one_coin(COINS.get(found["base"], found["base"])), found["quote"]
    quote = COINS.get(quote, quote)
    return SymbolForm(base, quote, quote, "linear", "perpetual", symbol.removeprefix("t"), "", multiplier, 1.0)


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear, by the form; None of a pair on spot."""
    form = symbol_form(symbol)
    return form.contract if form else None
