"""Acme, an invented exchange, to the collectors: one channel of liquidations, one list of contracts."""

from collectors.venues.acme.stream import Hosts, venue

from collectors.history.endpoint import History
from collectors.venues.record import Record

RECORD = Record(
    "acme", venue, lambda: History((), {}), Hosts, known=("BTC-PERP",), collects={"liquidations": ("liquidations",)}
)
