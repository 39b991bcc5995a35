"""The venues the collectors know. To add one: a file beside this one and a line here."""

from collections.abc import Callable

from collectors.venues import binance, bybit, okx
from collectors.venues.venue import Venue

VENUES: dict[str, Callable[[], Venue]] = {
    "binance": binance.venue,
    "bybit": bybit.venue,
    "okx": okx.venue,
}
"""Name to a function that reads the venue's addresses from the environment and returns the venue."""
