"""dYdX v4, by its indexer, to the collectors.

stream.py   a feed of all markets, sockets of trades    rest.py   polls, budgets, refusals
history.py  its past                                    simulator/   a local server like it
"""

from collectors.venues.dydx.history import history
from collectors.venues.dydx.stream import Hosts, venue
from collectors.venues.record import Kind, Record

MARKETS = ("v4_markets",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("v4_trades", "trades"), "funding": MARKETS, "settled funding": ("historicalFunding",),
    "open interest": MARKETS, "mark": MARKETS, "index": MARKETS,
}  # fmt: skip
RECORD = Record("dydx", venue, history, Hosts, known=("BTC-USD", "ETH-USD"), collects=COLLECTS)
