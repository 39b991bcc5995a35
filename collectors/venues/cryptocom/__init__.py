"""Crypto.com's derivatives, to the collectors. It publishes no liquidations.

stream.py   one feed: funding, marks, indices    rest.py      polls, budgets, refusals
history.py  its past                             simulator/   a local server like it
"""

from collectors.venues.cryptocom.history import history
from collectors.venues.cryptocom.stream import Hosts, venue
from collectors.venues.record import Kind, Record

COLLECTS: dict[Kind, tuple[str, ...]] = {
    "funding": ("funding",), "settled funding": ("get-valuations",), "open interest": ("get-tickers",), "mark": ("mark",),
    "index": ("index",),
}  # fmt: skip
RECORD = Record("cryptocom", venue, history, Hosts, known=("BTCUSD-PERP", "ETHUSD-PERP"), collects=COLLECTS)
