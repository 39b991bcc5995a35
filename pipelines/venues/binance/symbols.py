"""Binance's symbols: BTCUSDT, BTCUSDT_260925 (USD-M); BTCUSD_PERP, BTCUSD_260626 (COIN-M). Facts: exchanges/binance.md §8."""

import re

from pipelines.venues.bounds import by_symbol
from pipelines.venues.symbols import SymbolForm, one_coin, split_quote

QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USD1", "USD", "BTC", "ETH", "BNB")
_COIN_MARGINED = re.compile(r"(.+USD)_(PERP|\d{6})")
_DELIVERY = re.compile(r"(.+)_(\d{6})")


@by_symbol
def symbol_form(symbol: str) -> SymbolForm | None:
    """Take a symbol apart; a pair such as BTCUSD is an index. None where no known quote ends it."""
    if coin := _COIN_MARGINED.fullmatch(symbol):
        base, multiplier = one_coin(coin[1][:-3])
        expiry = "" if coin[2] == "PERP" else coin[2]
        kind = "delivery" if expiry else "perpetual"
        return SymbolForm(base, "USD", base, "inverse", kind, coin[1], expiry, multiplier)
    delivery = _DELIVERY.fullmatch(symbol)
    pair, expiry = (delivery[1], delivery[2]) if delivery else (symbol, "")
    if (parts := split_quote(pair, QUOTES)) is None:
        return None
    (base, multiplier), quote = one_coin(parts[0]), parts[1]
    if quote == "USD":
        return SymbolForm(base, quote, None, None, None, pair, expiry, multiplier)
    kind = "delivery" if delivery else "perpetual"
    return SymbolForm(base, quote, quote, "linear", kind, pair, expiry, multiplier)


@by_symbol
def is_coin_margined(symbol: str) -> bool:
    """Say whether the symbol's form is COIN-M's; a message's own `st` goes before it."""
    return _COIN_MARGINED.fullmatch(symbol) is not None
