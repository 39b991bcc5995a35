"""BitMEX, to the collectors.

stream.py   one socket: the table of open orders    rest.py      polls, budgets, refusals
history.py  its past                                simulator/   a server like it
"""

from collectors.venues.bitmex.history import history
from collectors.venues.bitmex.stream import Hosts, venue
from collectors.venues.record import Kind, Record

STATE = ("instrument-state",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("liquidation",), "funding": STATE, "settled funding": ("funding",), "open interest": STATE,
    "mark": STATE, "index": STATE,
}  # fmt: skip
RECORD = Record("bitmex", venue, history, Hosts, known=("XBTUSD", "XBTUSDT"), collects=COLLECTS)
"""Of liquidations there is no history."""
