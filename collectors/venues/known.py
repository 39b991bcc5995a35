"""The venues the collectors know. To add one: its folder, and a line here."""

from collections.abc import Callable

from collectors.history.endpoint import History
from collectors.venues import binance, bybit, okx
from collectors.venues.record import Record
from collectors.venues.venue import Venue

RECORDS: dict[str, Record] = {each.name: each for each in (binance.RECORD, bybit.RECORD, okx.RECORD)}

VENUES: dict[str, Callable[[], Venue]] = {name: each.venue for name, each in RECORDS.items()}
"""Name to a function that reads the venue's addresses from the environment and returns the venue."""

HISTORIES: dict[str, Callable[[], History]] = {name: each.history for name, each in RECORDS.items()}
"""The same of what each keeps of the past."""
