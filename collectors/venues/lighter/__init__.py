"""Lighter's perpetuals, to the collectors.

stream.py   a feed of all markets' state, sockets of trades    rest.py   polls, budgets, refusals
simulator/  a local server like it
"""

from collectors.history.endpoint import History
from collectors.venues.lighter.stream import Hosts, venue
from collectors.venues.record import Kind, Record

STATE = ("market_stats",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("trade",), "funding": STATE, "settled funding": ("fundings",), "open interest": STATE, "mark": STATE,
    "index": STATE,
}  # fmt: skip
RECORD = Record("lighter", venue, lambda: History((), {}), Hosts, known=("0", "1"), collects=COLLECTS)
"""No history: a subscription brings a market's last liquidations."""
