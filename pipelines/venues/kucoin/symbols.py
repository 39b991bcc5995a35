"""KuCoin's contracts: XBTUSDTM (linear), XBTUSDM (inverse), XBTMZ26 (delivery). XBT is BTC; the M at the end says nothing."""

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm, one_coin, split_quote

QUOTES = ("USDT", "USDC", "USD")
COINS = {"XBT": "BTC"}


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a perpetual's name apart; None for another form. How much a contract of a linear one holds is in the list alone."""
    if not symbol.endswith("M") or (parts := split_quote(symbol[:-1], QUOTES)) is None:
        return None
    (base, multiplier), quote = one_coin(COINS.get(parts[0], parts[0])), parts[1]
    inverse = quote == "USD"
    contract: Contract = "inverse" if inverse else "linear"
    settle = base if inverse else quote
    return SymbolForm(base, quote, settle, contract, "perpetual", symbol, "", multiplier, 1.0 if inverse else None)


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear or inverse, by the form; None for another form."""
    form = symbol_form(symbol)
    return form.contract if form else None
