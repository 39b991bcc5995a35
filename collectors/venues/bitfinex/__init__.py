"""Bitfinex derivatives, to the collectors.

stream.py   one socket with all liquidations    rest.py   polls, budgets, refusals
history.py  its past                            simulator/   a local server like it
"""

from collectors.venues.bitfinex.history import history
from collectors.venues.bitfinex.stream import Hosts, venue
from collectors.venues.record import Kind, Record

STATE = ("status_deriv",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("status-liq-global", "liquidations_hist"), "funding": STATE, "open interest": STATE, "mark": STATE,
    "index": STATE,
}  # fmt: skip
RECORD = Record("bitfinex", venue, history, Hosts, known=("tBTCF0:USTF0", "tETHF0:USTF0"), collects=COLLECTS)
"""The last five hundred liquidations are polled besides, so that a gap of the socket is filled."""
