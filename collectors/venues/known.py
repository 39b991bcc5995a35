"""The venues the collectors know. To add one: its folder, and its name here."""

from collections.abc import Callable
from importlib import import_module

from collectors.history.endpoint import History
from collectors.venues.record import Record
from collectors.venues.venue import Venue

NAMES = (
    "binance",
    "bybit",
    "okx",
    "gateio",
    "bitget",
    "htx",
    "bitmex",
    "kraken",
    "bitfinex",
    "deribit",
    "dydx",
    "aster",
    "coinex",
    "kucoin",
    "cryptocom",
    "hyperliquid",
)

RECORDS: dict[str, Record] = {name: import_module(f"collectors.venues.{name}").RECORD for name in NAMES}

USUAL = tuple(name for name, each in RECORDS.items() if each.is_usual)
"""Those that are meant where nobody names venues."""

VENUES: dict[str, Callable[[], Venue]] = {name: each.venue for name, each in RECORDS.items()}
"""Name to a function that reads the venue's addresses from the environment and returns the venue."""

HISTORIES: dict[str, Callable[[], History]] = {name: each.history for name, each in RECORDS.items()}
"""The same of what each keeps of the past."""
