"""Gate's contracts: BTC_USDT, BTC_USDT_20261225 (linear), BTC_USD (inverse, of one USD each), other XXX_USD (quanto)."""

import re

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm, one_coin

_FORM = re.compile(r"(?P<unit>[^_]+)_(?P<quote>USDT|USD1|USD)(?:_\d{2}(?P<end>\d{6}))?")


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a name apart; None for another form. A quanto contract is neither linear nor inverse: it settles in BTC."""
    if (found := _FORM.fullmatch(symbol)) is None:
        return None
    (base, multiplier), quote, end = one_coin(found["unit"]), found["quote"], found["end"] or ""
    settle, contract, size = _terms(base, quote)
    kind = "delivery" if end else "perpetual"
    return SymbolForm(base, quote, settle, contract, kind, f"{found['unit']}_{quote}", end, multiplier, size)


def _terms(base: str, quote: str) -> tuple[str, Contract | None, float | None]:
    """Return what it settles in, its kind, and the dollars in one contract where they are the same for all."""
    if quote != "USD":
        return quote, "linear", None
    return ("BTC", "inverse", 1.0) if base == "BTC" else ("BTC", None, None)


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear or inverse, by the form; None of a quanto contract, and where it is no contract."""
    form = symbol_form(symbol)
    return form.contract if form else None
