"""dYdX's markets: BTC-USD, linear, settled in USDC. A long name may hold commas and hyphens, so the quote is what is last."""

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm

SETTLE = "USDC"


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a market's name apart; None for another form."""
    base, _, quote = symbol.rpartition("-")
    return (
        SymbolForm(base, quote, SETTLE, "linear", "perpetual", symbol, "", 1, 1.0) if base and quote == "USD" else None
    )


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear, by the form; None where it is no market."""
    form = symbol_form(symbol)
    return form.contract if form else None
