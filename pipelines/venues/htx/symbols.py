"""HTX's contract codes: BTC-USDT and BTC-USDT-261225 (linear), BTC-USD (coin-margined swap), BTC261225 (delivery)."""

import re

from pipelines.facts import Contract
from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm, one_coin

_FORM = re.compile(
    r"(?P<unit>[A-Z0-9]+)-(?P<quote>USDT|USDC|HUSD|USD)(?:-(?P<end>\d{6}))?|(?P<coin>[A-Z0-9]*?[A-Z])(?P<date>\d{6})"
)
SIZE_OF_BTC, SIZE_OF_OTHERS = 100.0, 10.0
"""USD in a coin-margined contract: documented for all of them (§2)."""


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a contract code apart; None for another form, such as the aliases of weeks (ETH_NW)."""
    if (found := _FORM.fullmatch(symbol)) is None:
        return None
    unit, quote, end = found["unit"] or found["coin"], found["quote"] or "USD", found["end"] or found["date"] or ""
    base, multiplier = one_coin(unit)
    inverse = quote == "USD"
    size = (SIZE_OF_BTC if base == "BTC" else SIZE_OF_OTHERS) if inverse else None
    return SymbolForm(
        base, quote, base if inverse else quote, "inverse" if inverse else "linear", "delivery" if end else "perpetual",
        f"{unit}-{quote}", end, multiplier, size,
    )  # fmt: skip


@by_symbol
def contract_of(symbol: str) -> Contract | None:
    """Return linear or inverse, by the form; None where it is no contract's."""
    form = symbol_form(symbol)
    return form.contract if form else None
