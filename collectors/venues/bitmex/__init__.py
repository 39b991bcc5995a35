"""BitMEX, to the collectors.

stream.py   one socket: the table of open orders    rest.py   polls, budgets, refusals    simulator/   a server like it
"""

from collectors.history.endpoint import History
from collectors.venues.bitmex.stream import Hosts, venue
from collectors.venues.record import Kind, Record

STATE = ("instrument-state",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("liquidation",), "funding": STATE, "settled funding": ("funding",), "open interest": STATE,
    "mark": STATE, "index": STATE,
}  # fmt: skip
RECORD = Record("bitmex", venue, lambda: History((), {}), Hosts, known=("XBTUSD", "XBTUSDT"), collects=COLLECTS)
"""No history: of liquidations there is none, and settled funding is paged by number; a poll brings the last of all."""
