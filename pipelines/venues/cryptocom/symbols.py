"""Crypto.com's derivatives: BTCUSD-PERP, BTCUSD-261225 (linear, in coins); BTCUSD-INDEX is an index, BTC_USD spot."""

import re

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm, one_coin

_FORM = re.compile(r"(?P<unit>[A-Z0-9]+?)(?P<quote>USDT|USDC|USD)-(?:(?P<what>PERP|INDEX)|(?P<end>\d{6}))")


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a name apart; None for another form."""
    if (found := _FORM.fullmatch(symbol)) is None:
        return None
    (base, multiplier), quote = one_coin(found["unit"]), found["quote"]
    family = f"{found['unit']}{quote}"
    if found["what"] == "INDEX":
        return SymbolForm(base, quote, None, None, None, family, "", multiplier)
    kind = "delivery" if found["end"] else "perpetual"
    return SymbolForm(base, quote, quote, "linear", kind, family, found["end"] or "", multiplier, 1.0)


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear, by the form; None of an index and of spot."""
    form = symbol_form(symbol)
    return form.contract if form else None
