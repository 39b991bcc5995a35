"""The venues the collectors know. To add one: its folder, and its name here."""

from collections.abc import Callable
from importlib import import_module
from typing import TypeVar

from pydantic import ValidationError

from collectors.errors import ConfigurationError
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
    "lighter",
)

T = TypeVar("T")


def _configured(make: Callable[[], T], prefix: str) -> Callable[[], T]:
    """Return what reads the environment and says which of a venue's settings is wrong. It raises ConfigurationError."""

    def configured() -> T:
        try:
            return make()
        except ValidationError as error:
            raise ConfigurationError.of(error, prefix) from None

    return configured


def _record(name: str) -> Record:
    found: Record = import_module(f"collectors.venues.{name}").RECORD
    prefix = found.hosts.model_config.get("env_prefix", "")
    return found._replace(venue=_configured(found.venue, prefix), history=_configured(found.history, prefix))


RECORDS: dict[str, Record] = {name: _record(name) for name in NAMES}

USUAL = tuple(name for name, each in RECORDS.items() if each.is_usual)
"""Those that are meant where nobody names venues."""

VENUES: dict[str, Callable[[], Venue]] = {name: each.venue for name, each in RECORDS.items()}
"""Name to a function that reads the venue's addresses from the environment and returns the venue."""

HISTORIES: dict[str, Callable[[], History]] = {name: each.history for name, each in RECORDS.items()}
"""The same of what each keeps of the past."""
