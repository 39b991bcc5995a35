"""Deribit's futures: BTC-PERPETUAL, BTC-25DEC26 (inverse, in USD), ETH_USDC-PERPETUAL (linear, in coins); no options."""

import re

from pipelines.facts import Contract, Unit
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm, one_coin

_FORM = re.compile(
    r"(?P<unit>[A-Z0-9]+?)(?:_(?P<quote>[A-Z0-9]+))?-(?:PERPETUAL|(?P<day>\d{1,2})(?P<month>[A-Z]{3})(?P<year>\d{2}))"
)
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
UNITS: dict[Contract, Unit] = {"inverse": "usd", "linear": "base"}
"""What an amount and an open interest are in."""


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a future's name apart; None for another form: options, spreads, spot."""
    if (found := _FORM.fullmatch(symbol)) is None or (found["month"] and found["month"] not in MONTHS):
        return None
    (base, multiplier), quote = one_coin(found["unit"]), found["quote"] or "USD"
    end = f"{found['year']}{MONTHS.index(found['month']) + 1:02}{int(found['day']):02}" if found["month"] else ""
    contract: Contract = "linear" if found["quote"] else "inverse"
    return SymbolForm(
        base, quote, quote if found["quote"] else base, contract, "delivery" if end else "perpetual",
        symbol.partition("-")[0], end, multiplier, 1.0,
    )  # fmt: skip


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear or inverse, by the form; None where it is no future."""
    form = symbol_form(symbol)
    return form.contract if form else None
