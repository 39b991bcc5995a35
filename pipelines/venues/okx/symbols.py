"""OKX's symbols: BTC-USDT-SWAP, BTC-USD-260626, BTC-USD_UM_XPERP-310404, index BTC-USD. Facts: exchanges/okx.md §8."""

import re

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm

_FORM = re.compile(r"([^-]+)-([A-Z0-9]+?)(_UM)?(_XPERP)?(?:-(SWAP|\d{6}))?")
_DOLLAR_MARGINED = "_UM"


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take an id apart; without SWAP or a date it is an index or spot pair. None for another form (options).

    Quoted in USD and not marked UM it is inverse, else linear; what a UM contract settles in is not in its id.
    """
    if (found := _FORM.fullmatch(symbol)) is None:
        return None
    base, quote, margin, perpetual_like, end = found.groups()
    family = f"{base}-{quote}{margin or ''}"
    if end is None:
        return SymbolForm(base, quote, None, None, None, family)
    inverse = quote == "USD" and margin != _DOLLAR_MARGINED
    settle = base if inverse else None if margin else quote
    kind = "perpetual" if end == "SWAP" or perpetual_like else "delivery"
    return SymbolForm(
        base, quote, settle, "inverse" if inverse else "linear", kind, family, "" if end == "SWAP" else end
    )


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear or inverse, by the form; None where it is no contract."""
    form = symbol_form(symbol)
    return form.contract if form else None
