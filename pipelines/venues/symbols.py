"""What can be read from a symbol's form, for contracts that no instrument list here names."""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from pipelines.facts import Contract

DOLLARS = frozenset(
    (
        "USD",
        "USDT",
        "USDC",
        "BUSD",
        "FDUSD",
        "TUSD",
        "USDP",
        "PAX",
        "DAI",
        "USDE",
        "USDS",
        "USD1",
        "RLUSD",
        "PYUSD",
        "USDG",
    )
)
"""Quotes counted as one US dollar each: a choice, stated in README and in the table's documentation."""

MULTIPLIERS = {
    "10000000": 10_000_000,
    "1000000": 1_000_000,
    "100000": 100_000,
    "10000": 10_000,
    "1000": 1_000,
    "1M": 1_000_000,
}
_MULTIPLIED = re.compile(rf"({'|'.join(MULTIPLIERS)})([A-Za-z].*)")
_MULTIPLIED_BEHIND = {"SHIB1000": ("SHIB", 1000)}  # Bybit's spelling


class SymbolForm(NamedTuple):
    """A symbol taken apart. `base` is without multiplier; `settle` None where the form does not tell; `kind` None for
    an index or pair, which is no contract; `expiry` YYMMDD or empty. `size`: of a contract, where the venue documents one for
    all of that form, in rows.Instrument's units."""

    base: str
    quote: str
    settle: str | None
    contract: Contract | None
    kind: str | None
    family: str
    expiry: str = ""
    multiplier: int = 1
    size: float | None = None

    @property
    def instrument(self) -> str | None:
        """Our spelling; None where it is no contract or the settlement is not known."""
        if self.kind is None or self.settle is None:
            return None
        return unified(self.base, self.quote, self.settle, self.expiry)


def one_coin(base: str) -> tuple[str, int]:
    """Return the coin and how many of it the venue's unit holds: 1000PEPE is (PEPE, 1000); 1INCH stays as it is."""
    if found := _MULTIPLIED.fullmatch(base):
        return found[2], MULTIPLIERS[found[1]]
    return _MULTIPLIED_BEHIND.get(base, (base, 1))


def unified(base: str, quote: str, settle: str, expiry: str = "") -> str:
    """Return BASE/QUOTE:SETTLE, with -YYMMDD for a delivery."""
    return f"{base}/{quote}:{settle}-{expiry}" if expiry else f"{base}/{quote}:{settle}"


def yymmdd(ms: int) -> str:
    """Return the UTC day of a time in milliseconds as YYMMDD."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%y%m%d")


def split_quote(pair: str, quotes: tuple[str, ...]) -> tuple[str, str] | None:
    """Return base and quote of a pair written together; `quotes` is tried in its order."""
    for quote in quotes:
        if pair.endswith(quote) and len(pair) > len(quote):
            return pair[: -len(quote)], quote
    return None
