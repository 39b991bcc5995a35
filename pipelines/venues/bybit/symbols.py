"""Bybit's symbols: BTCUSDT, BTCPERP, BTCUSD, BTCUSDH23, BTCUSDT-21FEB25, BTC-26DEC25. Facts: exchanges/bybit.md §8."""

import calendar
import re

from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm, one_coin, split_quote

QUOTES = ("USDT", "USDC", "USDE", "USD")
MONTHS = {name: f"{n:02}" for n, name in enumerate(
    ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1
)}  # fmt: skip
LETTERS = {letter: n for n, letter in enumerate("FGHJKMNQUVXZ", 1)}
_DATED = re.compile(r"(.+?)-(\d{1,2})([A-Z]{3})(\d{2})")
_LETTERED = re.compile(r"(.+USD)([FGHJKMNQUVXZ])(\d{2})")
_FRIDAY = 4


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a symbol apart. None where no known quote ends it."""
    pair, expiry = symbol, ""
    if (dated := _DATED.fullmatch(symbol)) and dated[3] in MONTHS:
        pair, expiry = dated[1], f"{dated[4]}{MONTHS[dated[3]]}{int(dated[2]):02}"
        parts = split_quote(pair, QUOTES) or (pair, "USDC")
    elif lettered := _LETTERED.fullmatch(symbol):
        pair, expiry = lettered[1], _last_friday(int(lettered[3]), LETTERS[lettered[2]])
        parts = (pair[:-3], "USD")
    elif symbol.endswith("PERP") and len(symbol) > len("PERP"):
        parts = (symbol[: -len("PERP")], "USDC")
    elif (found := split_quote(symbol, QUOTES)) is not None:
        parts = found
    else:
        return None
    (base, multiplier), quote = one_coin(parts[0]), parts[1]
    inverse = quote == "USD"
    return SymbolForm(
        base, quote, base if inverse else quote, "inverse" if inverse else "linear",
        "delivery" if expiry else "perpetual", f"{parts[0]}{quote}", expiry, multiplier,
    )  # fmt: skip


def _last_friday(year: int, month: int) -> str:
    """A lettered contract delivers on the last Friday of its month (BTCUSDU23: 2023-09-29, in the recordings)."""
    last = calendar.monthrange(2000 + year, month)[1]
    back = (calendar.weekday(2000 + year, month, last) - _FRIDAY) % 7
    return f"{year:02}{month:02}{last - back:02}"


@by_symbol
def is_inverse(symbol: str) -> bool:
    """Say whether the form is an inverse contract's; messages do not name their category."""
    form = symbol_form(symbol)
    return form is not None and form.contract == "inverse"
