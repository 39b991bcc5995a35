"""Kraken's products: PF_XBTUSD, FF_XBTUSD_261225 (linear, in coins), PI_XBTUSD, FI_XBTUSD_261225 (inverse, of one USD each)."""

import re

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm, one_coin

_FORM = re.compile(r"(?P<kind>PF|FF|PI|FI)_(?P<unit>[A-Z0-9]+?)(?P<quote>USDT|USDC|USD|EUR|GBP)(?:_(?P<end>\d{6}))?")
COINS = {"XBT": "BTC"}


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a product apart; None for another form (indices: in_xbtusd). REST of 2021 wrote them in small letters."""
    if (found := _FORM.fullmatch(symbol.upper())) is None:
        return None
    base, multiplier = one_coin(COINS.get(found["unit"], found["unit"]))
    inverse, end = found["kind"].endswith("I"), found["end"] or ""
    kind = "perpetual" if found["kind"].startswith("P") else "delivery"
    return SymbolForm(
        base, found["quote"], base if inverse else found["quote"], "inverse" if inverse else "linear", kind,
        f"{found['kind'][1]}_{found['unit']}{found['quote']}", end, multiplier, 1.0,
    )  # fmt: skip


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear or inverse, by the form; None where it is no contract."""
    form = symbol_form(symbol)
    return form.contract if form else None
