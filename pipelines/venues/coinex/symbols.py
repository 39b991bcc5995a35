"""CoinEx's markets: BTCUSDT (linear), BTCUSD (inverse). BTCUSDT_INDEXPRICE and the like are no markets."""

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm, one_coin, split_quote

QUOTES = ("USDT", "USDC", "USD")


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a name apart; None for another form. What a unit of an inverse market's amount is, is not proven."""
    if "_" in symbol or (parts := split_quote(symbol, QUOTES)) is None:
        return None
    (base, multiplier), quote = one_coin(parts[0]), parts[1]
    inverse = quote == "USD"
    contract: Contract = "inverse" if inverse else "linear"
    return SymbolForm(
        base, quote, base if inverse else quote, contract, "perpetual", symbol, "", multiplier, None if inverse else 1.0
    )


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear or inverse, by the form; None where it is no market."""
    form = symbol_form(symbol)
    return form.contract if form else None
